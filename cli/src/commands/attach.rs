//! `keel attach`: what a run tells that goes on by itself, up to its end.

use super::OfRun;
use crate::exit::Exit;
use crate::format::Format;
use crate::view::ask::Consent;
use crate::view::show::Manner;
use crate::work::{Since, Wanted};

/// Arguments of `attach`. Where no run is said it is the one under way, or else the last one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Tells all of the run, also what was told here before.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    of: OfRun,
}

/// Tells of the run, and ends as it does.
pub fn run(Args { all, of }: Args, format: Format) -> anyhow::Result<Exit> {
    let (run, asked) = of.split();
    let wanted = Wanted::Attach { run, since: if all { Since::Begin } else { Since::Unseen } };
    asked.go(wanted, (Consent::Given, Manner::Straight), format)
}
