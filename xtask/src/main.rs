//! `cargo xtask`: see `chore` for what it can do. It must not hold more than the hand-over.
#![expect(clippy::print_stderr, reason = "a chore talks to the developer's terminal")]

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match xtask::chore::run(xtask::chore::Cli::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
