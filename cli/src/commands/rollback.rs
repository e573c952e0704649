//! `keel rollback`: brings back what a run changed, from its journal.

use super::run_number::split_run;
use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::view;
use crate::view::ask::Consent;
use crate::view::show::Manner;
use crate::work::{Conditions, Errand, Inventory, Machines, Wanted};
use anyhow::anyhow;
use wire::{Order, Rollback, Terms, Which};

/// Arguments of `rollback`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run, by its number in `keel history`, the last one unless said; then hosts: of the inventory by name, glob or @group, or as ssh has it: [user@]host[:port].
    #[arg(value_name = "RUN|HOST")]
    words: Vec<String>,
    #[command(flatten)]
    inventory: Inventory,
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
    machines: Machines,
}

/// Rolls back.
pub fn run(args: Args, format: Format) -> anyhow::Result<Exit> {
    let Args { words, inventory, plan, force, yes, to, conditions, machines } = args;
    let consent = match if yes || plan { Ok(Consent::Given) } else { Consent::at_terminal() } {
        Ok(consent) => consent,
        Err(error) => return Ok(view::misuse(&error)),
    };
    let (run, hosts) = split_run(words);
    let which = match (run, to) {
        (None, None) => Which::Last,
        (Some(run), None) => Which::One(run),
        (None, Some(run)) => Which::After(run),
        (Some(run), Some(_)) => return Ok(view::misuse(&anyhow!("say either the run {run} or --to"))),
    };
    let mut terms = Terms::default();
    conditions.put(&mut terms);
    let files = Files::default();
    let crew = machines.for_asking(&hosts, &inventory, &files);
    let wanted = Wanted::Same(Order::Rollback(Rollback { which, force, forecast: plan, terms }));
    let manner = if plan { Manner::Forecast } else { consent.manner() };
    Errand { wanted, consent, manner, format, files }.go(crew)
}
