//! `keel apply`: plan, ask, run.

use super::targets::{Catalogs, Use};
use crate::exit::Exit;
use crate::format::Format;
use crate::view;
use crate::view::ask::Consent;
use crate::work::{Conditions, Machines};
use wire::{OnFailure, Order, Terms};

/// Arguments of `apply`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    catalogs: Catalogs,
    /// Does not ask.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    conditions: Conditions,
    /// Where something fails, what was done is undone at once: exit code 5.
    #[arg(long)]
    rollback_on_failure: bool,
    #[command(flatten)]
    machines: Machines,
}

/// Applies.
pub fn run(args: Args, format: Format) -> anyhow::Result<Exit> {
    let Args { catalogs, yes, conditions, rollback_on_failure, machines } = args;
    let consent = match if yes { Ok(Consent::Given) } else { Consent::at_terminal() } {
        Ok(consent) => consent,
        Err(error) => return Ok(view::misuse(&error)),
    };
    let on_failure = if rollback_on_failure { OnFailure::Rollback } else { OnFailure::Keep };
    let mut terms = Terms { on_failure, ..Terms::default() };
    conditions.put(&mut terms);
    let shown = (consent, consent.manner());
    catalogs.each(&machines, Use { verb: "apply", order: Order::Apply, terms, shown }, format)
}
