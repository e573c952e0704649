//! `keel rollback`: brings back what a run changed, from its journal.

use super::local::{State, ended};
use crate::args::Format;
use crate::exit::Exit;
use crate::view::ask::Consent;
use crate::{clock, stop, view};
use agent::os::host::Host;
use agent::session::{Drift, Rollback, plan_rollback, rollback};
use agent::state::EventLog;
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
    let consent = match Consent::of(args.yes || args.plan) {
        Ok(consent) => consent,
        Err(error) => return Ok(view::misuse(&error)),
    };
    let state = args.state.dir();
    let host = Host::new(Arc::new(state.store()));
    let watch = |event: &model::Event| view::events::show(event, format);
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
    if args.plan {
        let plan = plan_rollback(&work)?;
        view::plan::show(&plan, format);
        return Ok(Exit::of_plan(&plan));
    }
    ended(rollback(&work, &|_| consent.answer("Roll back?")).map(|report| Exit::of_report(&report)))
}
