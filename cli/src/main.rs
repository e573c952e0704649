//! `keel`: arguments in, exit code out. Wiring only: what a verb does is in `commands`, what is printed in `view`.

mod args;
mod blobs;
mod clock;
mod commands;
mod exit;
mod format;
mod library;
mod site;
mod stop;
mod vault;
mod view;
mod work;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Err(error) = work::keep_memory() {
        return view::failure(&format!("{error:#}")).into();
    }
    if let Some(code) = work::play_stage() {
        return code;
    }
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return view::usage(&error).into(),
    };
    if let Err(why) = arm_failpoints() {
        return view::failure(&why).into();
    }
    match commands::run(cli) {
        Ok(exit) => exit.into(),
        Err(error) => view::failure(&format!("{error:#}")).into(),
    }
}

/// Faults for tests of the whole program. They act only where the agent is built with its feature `failpoints`, as for those tests.
fn arm_failpoints() -> Result<(), String> {
    std::env::var("KEEL_FAILPOINT").map_or(Ok(()), |spec| agent::failpoint::from_spec(&spec))
}
