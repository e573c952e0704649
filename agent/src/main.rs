//! `keel-agent`: what a push puts on a host. It knows orders from a pipe, and nothing else.

use std::process::ExitCode;

/// Something could not be done; how a run ended is said on the pipe.
const FAILED: u8 = 1;
/// The command line is wrong.
const USAGE: u8 = 3;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    if let Err(failure) = agent::os::memory::keep_to_itself() {
        return tell(std::io::stderr(), &failure.to_string()).max(FAILED).into();
    }
    if let Some(stage) = agent::rehearse::Stage::of(std::env::args_os()) {
        return stage.play().into();
    }
    if let Some(role) = agent::detached::Role::of(std::env::args_os()) {
        return match role.play() {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => tell(std::io::stderr(), &failure.to_string()).max(FAILED).into(),
        };
    }
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => linux::serve(linux::Start::Now),
        ["serve", "spare", seconds] => match seconds.parse() {
            Ok(seconds) => linux::serve(linux::Start::Wanted(seconds)),
            Err(_) => usage(),
        },
        ["--version"] => tell(std::io::stdout(), concat!("keel-agent ", env!("CARGO_PKG_VERSION"))).into(),
        _ => usage(),
    }
}

#[cfg(target_os = "linux")]
fn usage() -> ExitCode {
    let usage = "usage: keel-agent serve [spare SECONDS] | --version";
    tell(std::io::stderr(), &format!("{usage}\nkeel starts it by itself, on the hosts that it works on"));
    USAGE.into()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    tell(std::io::stderr(), "keel-agent runs on Linux only");
    USAGE.into()
}

/// Writes a line; the number is the exit code.
fn tell(mut to: impl std::io::Write, text: &str) -> u8 {
    writeln!(to, "{text}").map_or(FAILED, |()| 0)
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{FAILED, tell};
    use agent::os::child::start_anew;
    use agent::serve::{
        Input, Pace, Pipes, Program, is_wanted, remove_leftovers, serve as serve_order, state_of,
    };
    use agent::state::{DEFAULT_ROOT, StateDir};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use std::fs::File;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::path::Path;
    use std::process::ExitCode;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::time::{Duration, SystemTime};

    /// When an order is served.
    pub(super) enum Start {
        /// At once.
        Now,
        /// When the first word has come, for which it waits so many seconds at most.
        Wanted(u32),
    }

    /// Serves one order on standard input and output, and cleans up after older pushes.
    pub(super) fn serve(start: Start) -> ExitCode {
        match served(&start) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                tell(std::io::stderr(), &why);
                FAILED.into()
            }
        }
    }

    fn served(start: &Start) -> Result<(), String> {
        // Who leads a session already has none to leave.
        rustix::process::setsid().ok();
        let own = std::env::current_exe().map_err(|error| format!("the agent has no path: {error}"))?;
        let program = Program::at(&own);
        if let Start::Wanted(seconds) = start {
            // One that has stayed is called `exe` else.
            rustix::thread::set_name(c"keel-agent").ok();
            let patience = Duration::from_secs((*seconds).into());
            let wanted = is_wanted(std::io::stdin().as_fd(), &own, patience);
            if !wanted.map_err(|failure| failure.to_string())? {
                return Ok(());
            }
        }
        // Not before: any signal ends what only waits.
        let stop = stop_flag().map_err(|error| format!("signals cannot be handled: {error}"))?;
        let state = StateDir::new(state_of(&own).unwrap_or(Path::new(DEFAULT_ROOT)));
        let pipes = pipes().map_err(|error| format!("there are no pipes to serve: {error}"))?;
        let stay = serve_order(pipes, &state, Pace::default(), &stop)?;
        remove_leftovers(&own, SystemTime::now())
            .map_err(|failure| format!("what older pushes left could not be removed: {failure}"))?;
        match stay {
            Some(patience) if program.is_ok_and(|program| program.is_as_it_was()) => {
                let arguments = ["serve", "spare", &patience.as_secs().to_string()];
                Err(format!("the agent cannot stay: {}", start_anew(&own, &arguments)))
            }
            _ => Ok(()),
        }
    }

    /// Standard input and output, as bare as they are: frames have no lines to be buffered by.
    fn pipes() -> std::io::Result<Pipes<Input, File>> {
        let bare = |fd: BorrowedFd<'_>| fd.try_clone_to_owned().map(File::from);
        let (input, hold) = Input::new(bare(std::io::stdin().as_fd())?)?;
        Ok(Pipes { input, output: bare(std::io::stdout().as_fd())?, hold: Some(hold) })
    }

    /// Becomes true where a signal asks to stop at the next safe point; however often it is asked, no run is broken off. A hangup means
    /// nothing: before the commit point the end of the pipe says so too, and after it the run is the host's own. SIGPIPE is ignored by
    /// every Rust program.
    fn stop_flag() -> std::io::Result<Arc<AtomicBool>> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&stop))?;
        }
        signal_hook::flag::register(SIGHUP, Arc::new(AtomicBool::new(false)))?;
        Ok(stop)
    }
}
