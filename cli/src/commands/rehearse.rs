//! `keel rehearse`: the whole run for real, in a throwaway copy of this machine, and what it would change.

use super::local::Local;
use crate::exit::Exit;
use crate::format::Format;
use crate::view::events::{Manner, Watch};
use agent::engine::Sink;
use model::EventBody;

/// Arguments of `rehearse`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    local: Local,
}

/// Rehearses.
pub fn run(args: &Args, format: Format) -> anyhow::Result<Exit> {
    // For people the plan is left out: what happened says more than what was foreseen.
    let watch = Watch::new(format, Manner::Rehearsal);
    args.local.work(("rehearse", format), &|event| watch.see(event), |job| {
        let found = agent::rehearse::rehearse(job)?;
        let (exit, report) = (Exit::of_rehearsal(&found), found.report.clone());
        job.events.emit(EventBody::Rehearsal(Box::new(found)));
        job.events.emit(EventBody::Report(report));
        Ok(exit)
    })
}
