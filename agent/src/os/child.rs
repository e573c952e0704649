//! Starting another program, the only place where that happens: an argv and no shell, a cleared environment, a session of its own,
//! no terminal, capped output, a deadline, and the rights of the wanted user only.
//! It must not retry and must not judge an exit status; `pipes` carries the bytes while the child runs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use model::{Failure, Secret};
use rustix::fs::Mode;
use rustix::process::{Gid, Signal, Uid, getegid, geteuid, set_parent_process_death_signal, setsid, umask};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use super::capture::{Cap, Capture, printable};
use super::error::show;
use super::pipes::{Ending, Limit, carry};
use super::tied::Tied;
use super::{letting_go, moving};

/// Where programs are looked for, whatever the environment of the agent says.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Whom a child runs as: exactly these, no other group stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunAs {
    /// User.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// Whether the arguments may be shown in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// All of them.
    Arguments,
    /// Only the program; what it printed is kept out of messages too.
    Program,
}

/// Whether a child outlives its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bond {
    /// It may.
    Loose,
    /// It is killed when the thread that started it ends, however that comes (PR_SET_PDEATHSIG(2const)).
    Tied,
}

/// Where the standard output of a tied child goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlet {
    /// To this process.
    Piped,
    /// Where that of this process goes.
    Inherited,
}

/// What to start, and how.
#[derive(Debug, Clone)]
pub struct Child {
    /// Program and arguments; the program is looked for in `PATH` unless it has a slash.
    pub argv: Vec<OsString>,
    /// Added to `PATH`, `LC_ALL`, `HOME`, `USER` and `LOGNAME`, or in their place.
    pub env: BTreeMap<OsString, OsString>,
    /// Working directory.
    pub cwd: PathBuf,
    /// What it reads; it always reads an end of file after that.
    pub stdin: Option<Secret<Vec<u8>>>,
    /// Whom it runs as; the agent's own user if `None`.
    pub user: Option<RunAs>,
    /// File mode creation mask.
    pub umask: u32,
    /// How long it may take.
    pub timeout: Duration,
    /// Once true, it is not wanted any more, and is killed as if its time were up.
    pub given_up: Option<Arc<AtomicBool>>,
    /// How much of each of its two outputs is kept.
    pub cap: Cap,
    /// What messages may show.
    pub echo: Echo,
}

/// How a child ended, and what it wrote.
#[derive(Debug, Clone)]
pub struct Output {
    /// Exit code or signal.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: Capture,
    /// Standard error.
    pub stderr: Capture,
    shown: String,
    echo: Echo,
}

impl Child {
    /// A child with the defaults: working directory `/`, no input, umask 022, ten minutes.
    pub fn new<I: IntoIterator<Item: Into<OsString>>>(argv: I) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            env: BTreeMap::new(),
            cwd: PathBuf::from("/"),
            stdin: None,
            user: None,
            umask: 0o022,
            timeout: Duration::from_secs(600),
            given_up: None,
            cap: Cap::default(),
            echo: Echo::Arguments,
        }
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// `Failure::Command` if it cannot be started, `Failure::Timeout` if it had to be killed. An exit status other than 0 is no error here.
    pub fn run(&self) -> Result<Output, Failure> {
        wait();
        self.run_on_the_way()
    }

    /// The same; it is killed when the calling thread ends.
    ///
    /// # Errors
    /// Those of `run`.
    pub fn run_tied(&self) -> Result<Output, Failure> {
        wait();
        self.run_by(Bond::Tied)
    }

    /// The same, also while this process is being moved.
    ///
    /// # Errors
    /// Those of `run`.
    pub fn run_on_the_way(&self) -> Result<Output, Failure> {
        self.run_by(Bond::Loose)
    }

    fn run_by(&self, bond: Bond) -> Result<Output, Failure> {
        let mut child = self.command(bond)?.spawn().map_err(|error| self.not_started(&error))?;
        let input = self.stdin.as_ref().map_or(&[][..], |bytes| bytes.expose());
        let limit = Limit { timeout: self.timeout, given_up: self.given_up.as_deref() };
        let carried = carry(&mut child, input, limit, self.cap);
        let (ending, stdout, stderr) =
            carried.map_err(|error| self.failed(format!("could not be watched: {error}")))?;
        match ending {
            Ending::Exited(status) => {
                Ok(Output { status, stdout, stderr, shown: self.shown(), echo: self.echo })
            }
            Ending::TimedOut => {
                Err(Failure::Timeout { what: format!("`{}`", self.shown()), seconds: self.timeout.as_secs() })
            }
        }
    }

    /// Starts it and hands it back, to be talked with over its standard input and output. It is killed when the calling thread
    /// ends, and has an end of file on its input if that happens before it can be tied. Its errors go where ours go.
    ///
    /// # Errors
    /// `Failure::Command` if it cannot be started.
    pub fn start(&self, outlet: Outlet) -> Result<Tied, Failure> {
        wait();
        let mut command = self.command(Bond::Tied)?;
        command.stdin(Stdio::piped()).stderr(Stdio::inherit());
        command.stdout(match outlet {
            Outlet::Piped => Stdio::piped(),
            Outlet::Inherited => Stdio::inherit(),
        });
        let child = command.spawn().map_err(|error| self.not_started(&error))?;
        Ok(Tied::new(child, self.shown()))
    }

    /// Starts it and lets it go: it outlives this process, and has no outputs.
    ///
    /// # Errors
    /// `Failure::Command` if it cannot be started.
    pub fn release(&self) -> Result<(), Failure> {
        wait();
        let mut command = self.command(Bond::Loose)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(|_| ()).map_err(|error| self.not_started(&error))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where a program is started")]
    fn command(&self, bond: Bond) -> Result<Command, Failure> {
        let Some((program, arguments)) = self.argv.split_first() else {
            return Err(self.failed("is empty: there is no program to run".to_owned()));
        };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.cwd).env_clear().env("PATH", PATH).env("LC_ALL", "C");
        if self.user.is_none() && geteuid().is_root() {
            command.envs([("HOME", "/root"), ("USER", "root"), ("LOGNAME", "root")]);
        }
        command.envs(&self.env).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        let (mask, rights) = (self.umask, self.user.as_ref().and_then(Rights::to_drop_to));
        let prepare = move || prepare(mask, rights.as_ref(), bond);
        #[expect(unsafe_code, reason = "std has no safe way to set groups, umask and session of a child")]
        // SAFETY: between fork and exec only async-signal-safe calls are allowed. `prepare` makes bare system calls on values that
        // were allocated before the fork, and takes no lock and allocates nothing itself.
        unsafe {
            command.pre_exec(prepare);
        }
        Ok(command)
    }

    fn shown(&self) -> String {
        let shown = match self.echo {
            Echo::Arguments => &self.argv[..],
            Echo::Program => &self.argv[..self.argv.len().min(1)],
        };
        // Of a whole script its first line is enough: what matters is what the program had to say.
        let word = |word: &OsString| {
            let text = printable(word.as_encoded_bytes());
            match text.trim().split_once('\n') {
                Some((first, _)) => format!("{first}…"),
                None => text.trim_end_matches('\n').to_owned(),
            }
        };
        shown.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn failed(&self, status: String) -> Failure {
        Failure::Command { argv: self.shown(), status, stderr: String::new() }
    }

    /// Tells apart what execve(2) and chdir(2) put into the same number.
    fn not_started(&self, error: &io::Error) -> Failure {
        let program = Path::new(&self.argv[0]);
        let status = match error.kind() {
            _ if !self.cwd.is_dir() => format!("was not started: there is no directory {}", show(&self.cwd)),
            io::ErrorKind::NotFound if program.is_absolute() && program.exists() => {
                "was not started: the interpreter or loader it names does not exist".to_owned()
            }
            io::ErrorKind::NotFound => "was not found".to_owned(),
            io::ErrorKind::PermissionDenied => "is not executable, or its user may not run it".to_owned(),
            _ => format!("was not started: {error}"),
        };
        self.failed(status)
    }
}

impl Output {
    /// The output if the child exited with 0.
    ///
    /// # Errors
    /// `Failure::Command` with the status and the last lines of what it wrote.
    pub fn success(self) -> Result<Self, Failure> {
        if self.status.success() { Ok(self) } else { Err(self.failure()) }
    }

    /// This end, told as a failure.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let status = match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("exited with {code}"),
            (None, Some(signal)) => format!("was killed by signal {signal}"),
            (None, None) => format!("ended with {}", self.status),
        };
        let said = match self.stderr.last_words() {
            words if words.is_empty() => self.stdout.last_words(),
            words => words,
        };
        let stderr = if self.echo == Echo::Arguments { said } else { String::new() };
        Failure::Command { argv: self.shown.clone(), status, stderr }
    }

    /// Standard output, whole and as text.
    ///
    /// # Errors
    /// `Failure::Unknown` if it was too long to be kept, or is not UTF-8.
    pub fn text(&self) -> Result<String, Failure> {
        let what = || format!("the output of `{}`", self.shown);
        let bytes = self.stdout.complete().ok_or_else(|| Failure::unknown(what(), "it is too long"))?;
        String::from_utf8(bytes).map_err(|_| Failure::unknown(what(), "it is not UTF-8"))
    }
}

/// The numbers to drop to, made before the fork.
struct Rights {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
}

impl Rights {
    /// `None` if we are that user already and have no other rights to drop.
    fn to_drop_to(user: &RunAs) -> Option<Self> {
        let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
        if !geteuid().is_root() && uid == geteuid() && gid == getegid() {
            return None;
        }
        Some(Self { uid, gid, groups: user.groups.iter().copied().map(Gid::from_raw).collect() })
    }
}

/// Starts the program of this process anew in its place, by this name and with its streams and its environment: nothing of what it did is in its
/// memory any more. Returns only where that cannot be.
pub fn start_anew(name: &Path, arguments: &[&str]) -> io::Error {
    // The very file that runs: by its path it could be another one by now.
    #[expect(clippy::disallowed_methods, reason = "the one place where a program is started")]
    let mut command = Command::new("/proc/self/exe");
    command.arg0(name).args(arguments).exec()
}

/// Runs in the child, before exec.
fn prepare(mask: u32, rights: Option<&Rights>, bond: Bond) -> io::Result<()> {
    if bond == Bond::Tied {
        set_parent_process_death_signal(Some(Signal::KILL))?;
    }
    setsid()?;
    umask(Mode::from_raw_mode(mask));
    let Some(Rights { uid, gid, groups }) = rights else { return Ok(()) };
    // The order is what CVE-2012-1053 was about: each step needs a right that a later one gives up.
    set_thread_groups(groups)?;
    set_thread_res_gid(*gid, *gid, *gid)?;
    set_thread_res_uid(*uid, *uid, *uid)?;
    let regained = !uid.is_root() && set_thread_res_uid(None, Uid::ROOT, None).is_ok();
    if regained || geteuid() != *uid || getegid() != *gid {
        return Err(rustix::io::Errno::PERM.into());
    }
    Ok(())
}

/// Returns when what is born now is not left behind, and finds nothing in use by us that we have done with.
fn wait() {
    moving::wait();
    letting_go::wait();
}

#[cfg(test)]
mod tests;
