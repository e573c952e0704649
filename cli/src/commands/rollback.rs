//! `keel rollback`: brings back what a run changed, from its journal.

use super::OfRun;
use crate::exit::Exit;
use crate::format::Format;
use crate::view;
use crate::view::ask::Consent;
use crate::view::show::Manner;
use crate::work::{Conditions, Wanted};
use anyhow::anyhow;
use wire::{Order, Rollback, Terms, Which};

/// Arguments of `rollback`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Shows what would be done, and does nothing.
    #[arg(long)]
    plan: bool,
    /// Brings back also what somebody changed since; what is there now is kept for another rollback.
    #[arg(long)]
    force: bool,
    /// Does not ask.
    #[arg(long, short)]
    yes: bool,
    /// Brings back what all runs after this one changed: the host comes to be as it was at its end.
    #[arg(long, value_name = "RUN")]
    to: Option<u64>,
    #[command(flatten)]
    conditions: Conditions,
    #[command(flatten)]
    of: OfRun,
}

/// Rolls back.
pub fn run(args: Args, format: Format) -> anyhow::Result<Exit> {
    let Args { plan, force, yes, to, conditions, of } = args;
    let consent = match if yes || plan { Ok(Consent::Given) } else { Consent::at_terminal() } {
        Ok(consent) => consent,
        Err(error) => return Ok(view::misuse(&error)),
    };
    let (run, asked) = of.split();
    let which = match (run, to) {
        (None, None) => Which::Last,
        (Some(run), None) => Which::One(run),
        (None, Some(run)) => Which::After(run),
        (Some(run), Some(_)) => return Ok(view::misuse(&anyhow!("say either the run {run} or --to"))),
    };
    let mut terms = Terms::default();
    conditions.put(&mut terms);
    let wanted = Wanted::Same(Order::Rollback(Rollback { which, force, forecast: plan, terms }));
    let manner = if plan { Manner::Forecast } else { consent.manner() };
    asked.go(wanted, (consent, manner), format)
}
