//! `keel rollback`: brings back what a run changed, from its journal.

use super::local::{State, ended};
use crate::exit::Exit;
use crate::format::Format;
use crate::view::ask::Consent;
use crate::view::events::{Manner, Watch};
use crate::{clock, stop, view};
use agent::engine::Sink;
use agent::os::host::Host;
use agent::session::{Drift, Ended, Rollback, plan_rollback, rollback};
use agent::state::EventLog;
use model::EventBody;
use std::sync::Arc;

/// Arguments of `rollback`.
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
    /// Shows what would be done, and does nothing.
    #[arg(long)]
    plan: bool,
    /// Brings back also what somebody changed since; what is there now is kept for another rollback.
    #[arg(long)]
    force: bool,
    /// Does not ask.
    #[arg(long, short)]
    yes: bool,
}

/// Rolls back.
pub fn run(args: &Args, format: Format) -> anyhow::Result<Exit> {
    let consent = match if args.yes || args.plan { Ok(Consent::Given) } else { Consent::at_terminal() } {
        Ok(consent) => consent,
        Err(error) => return Ok(view::misuse(&error)),
    };
    let state = args.state.dir();
    let host = Host::new(Arc::new(state.store()));
    let watch = Watch::new(format, if args.plan { Manner::Forecast } else { consent.manner() });
    let watch = |event: &model::Event| watch.see(event);
    let events = EventLog::new(&watch, &clock::now);
    let stop = stop::flag()?;
    let work = Rollback {
        run: args.run,
        drift: if args.force { Drift::Overwrite } else { Drift::Refuse },
        system: &host,
        state: &state,
        events: &events,
        clock: &clock::now,
        stop: &stop,
    };
    let done = if args.plan {
        plan_rollback(&work).map_err(Ended::from).map(|plan| {
            let (exit, report) = (Exit::of_plan(&plan), plan.foreseen());
            events.emit(EventBody::Plan(plan));
            events.emit(EventBody::Report(report));
            exit
        })
    } else {
        rollback(&work, &|_| Ok(consent.answer("Roll back?"))).map(|report| Exit::of_report(&report))
    };
    // What a rollback is about stands in a journal that could not be read then: there is nothing to count.
    Ok(ended(done, &events, 0))
}
