//! `keel completion`: completions for a shell, from the same list that the arguments are read by.

use crate::args::Cli;
use crate::exit::Exit;
use crate::view;
use clap::CommandFactory;
use clap_complete::Shell;

/// Arguments of `completion`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell.
    shell: Shell,
}

/// Prints them.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "keel", &mut script);
    view::text(&String::from_utf8(script)?);
    Ok(Exit::Fine)
}
