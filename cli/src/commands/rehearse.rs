//! `keel rehearse`: the whole run for real, in a throwaway copy of the machine, and what it would change.

use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::site::Site;
use crate::view::ask::Consent;
use crate::view::show::Manner;
use crate::work::{Errand, Machines, Tags, Wanted};
use wire::{Order, Terms};

/// Arguments of `rehearse`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Hosts of the inventory: names, globs such as 'db*', or @group. With -f or --role as ssh has it: [user@]host[:port].
    #[arg(value_name = "HOST")]
    hosts: Vec<String>,
    #[command(flatten)]
    site: Site,
    #[command(flatten)]
    tags: Tags,
    #[command(flatten)]
    machines: Machines,
}

/// Rehearses.
pub fn run(Args { hosts, site, tags, machines }: Args, format: Format) -> anyhow::Result<Exit> {
    let files = Files::default();
    let crew = machines.for_catalogs(&hosts, &site, &files);
    let wanted =
        Wanted::Catalog { verb: "rehearse", order: Order::Rehearse, site, tags, terms: Terms::default() };
    Errand { wanted, consent: Consent::Given, manner: Manner::Rehearsal, format, files }.go(crew)
}
