//! `keel plan`: what `apply` would do, and what it cannot know. Writes nothing.

use super::local::Local;
use crate::exit::Exit;
use crate::format::Format;
use crate::view::events::{Manner, Watch};
use agent::engine::Sink;
use model::EventBody;

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    local: Local,
}

/// Shows the plan.
pub fn run(args: &Args, format: Format) -> anyhow::Result<Exit> {
    let watch = Watch::new(format, Manner::Forecast);
    args.local.work(("plan", format), &|event| watch.see(event), |job| {
        let plan = agent::session::plan(job)?;
        let exit = Exit::of_plan(&plan);
        let report = plan.foreseen();
        job.events.emit(EventBody::Plan(plan.pending()));
        job.events.emit(EventBody::Report(report));
        Ok(exit)
    })
}
