//! `keel history`: the runs of this machine, the last one first.

use super::local::State;
use crate::exit::Exit;
use crate::format::Format;
use crate::view;

/// Arguments of `history`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// This machine.
    #[arg(long)]
    local: bool,
    #[command(flatten)]
    state: State,
}

/// Lists the runs.
pub fn run(args: &Args, format: Format) -> anyhow::Result<Exit> {
    view::history::list(&args.state.dir().history()?, format);
    Ok(Exit::Fine)
}
