//! `keel`: arguments in, exit code out. Wiring only: what a verb does is in `commands`, what is printed in `view`.

mod args;
mod blobs;
mod book;
mod boxes;
mod clock;
mod commands;
mod exit;
mod format;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod keeping;
mod library;
mod packed;
mod short_way;
mod site;
mod stop;
mod vault;
mod view;
mod work;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Err(error) = work::keep_memory() {
        return view::failure(&format!("{error:#}")).into();
    }
    if let Some(code) = work::play_stage().or_else(work::play_keeper) {
        return code;
    }
    let exit = called().unwrap_or_else(|why| view::failure(&why));
    if view::is_lost() { exit::Exit::Failed.into() } else { exit.into() }
}

/// What the command line asks for.
fn called() -> Result<exit::Exit, String> {
    let cli = match short_way::parse() {
        Ok(cli) => cli,
        Err(error) => return Ok(view::usage(&error)),
    };
    arm_failpoints()?;
    commands::run(cli).map_err(|error| format!("{error:#}"))
}

/// Faults for tests of the whole program. They act only where the agent is built with its feature `failpoints`, as for those tests.
fn arm_failpoints() -> Result<(), String> {
    std::env::var("KEEL_FAILPOINT").map_or(Ok(()), |spec| agent::failpoint::from_spec(&spec))
}
