//! `keel apply`: plan, ask, run.

use crate::exit::Exit;
use crate::format::Format;
use crate::packed::Packed;
use crate::site::Site;
use crate::view;
use crate::view::ask::Consent;
use crate::work::{Conditions, Errand, Machines, Tags, Wanted};
use wire::{OnFailure, Order, Terms};

/// Arguments of `apply`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Hosts of the inventory: names, globs such as 'db*', or @group. With -f or --role as ssh has it: [user@]host[:port].
    #[arg(value_name = "HOST")]
    hosts: Vec<String>,
    #[command(flatten)]
    site: Site,
    #[command(flatten)]
    packed: Packed,
    #[command(flatten)]
    tags: Tags,
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
    let Args { hosts, site, packed, tags, yes, conditions, rollback_on_failure, machines } = args;
    let consent = match if yes { Ok(Consent::Given) } else { Consent::at_terminal() } {
        Ok(consent) => consent,
        Err(error) => return Ok(view::misuse(&error)),
    };
    let (site, files) = packed.files(site);
    let files = match files {
        Ok(files) => files,
        Err(refusal) => return Ok(view::refused(&refusal, format)),
    };
    let crew = machines.for_catalogs(&hosts, &site, &files);
    let on_failure = if rollback_on_failure { OnFailure::Rollback } else { OnFailure::Keep };
    let mut terms = Terms { on_failure, ..Terms::default() };
    conditions.put(&mut terms);
    let wanted = Wanted::Catalog { verb: "apply", order: Order::Apply, site, tags, terms };
    Errand { wanted, consent, manner: consent.manner(), format, files }.go(crew)
}
