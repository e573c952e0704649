//! `keel rehearse`: the whole run for real, in a throwaway copy of this machine, and what it would change.

use super::local::Local;
use crate::args::Format;
use crate::exit::Exit;
use crate::view;
use agent::engine::Sink;
use model::{Event, EventBody};

/// Arguments of `rehearse`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    local: Local,
}

/// Rehearses.
pub fn run(args: &Args, format: Format) -> anyhow::Result<Exit> {
    args.local.work(("rehearse", format), &|event| show(event, format), |job| {
        let found = agent::rehearse::rehearse(job)?;
        let (exit, report) = (Exit::of_rehearsal(&found), found.report.clone());
        job.events.emit(EventBody::Rehearsal(Box::new(found)));
        job.events.emit(EventBody::Report(report));
        Ok(exit)
    })
}

/// For people the plan is left out: what happened says more than what was foreseen.
fn show(event: &Event, format: Format) {
    let foreseen = matches!(event.body, EventBody::Plan(_) | EventBody::Started { .. });
    if format == Format::Json || !foreseen {
        view::events::show(event, format);
    }
}
