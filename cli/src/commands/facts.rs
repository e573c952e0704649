//! `keel facts`: what this machine says of itself, as templates and `when` see it.

use crate::exit::Exit;
use crate::format::Format;
use crate::view;

/// Arguments of `facts`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// This machine.
    #[arg(long)]
    local: bool,
}

/// Prints the facts.
pub fn run(_args: &Args, format: Format) -> anyhow::Result<Exit> {
    view::facts(&agent::os::facts::collect()?, format);
    Ok(Exit::Fine)
}
