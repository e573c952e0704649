//! `keel show`: one run, op by op, as its journal has it.

use super::local::State;
use crate::exit::Exit;
use crate::format::Format;
use crate::view;
use agent::state::Read;

/// Arguments of `show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run, by its number in `keel history`; the last one unless said.
    #[arg(value_name = "RUN")]
    run: Option<u64>,
    /// This machine.
    #[arg(long)]
    local: bool,
    #[command(flatten)]
    state: State,
}

/// Shows the run.
pub fn run(args: &Args, format: Format) -> anyhow::Result<Exit> {
    let state = args.state.dir();
    let Some(run) = args.run.or(state.numbers()?.last().copied()) else {
        anyhow::bail!("there has been no run on this machine");
    };
    match state.status(run)? {
        Read::Nothing => anyhow::bail!("there is no run {run}; `keel history` lists them"),
        Read::Whole(status) => view::history::one(&status, format),
        Read::Damaged(status, why) => {
            view::history::one(&status, format);
            anyhow::bail!("the journal of run {run} is damaged after this: {why}");
        }
    }
    Ok(Exit::Fine)
}
