//! `keel drift`: what somebody else changed since it was applied, when, and by whom if the host can tell. Writes nothing.

use crate::exit::Exit;
use crate::format::Format;
use crate::packed::Packed;
use crate::site::Site;
use crate::view;
use crate::view::ask::Consent;
use crate::view::show::Manner;
use crate::work::{Errand, Machines, Tags, Wanted};
use wire::{Order, Terms};

/// Arguments of `drift`.
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
    #[command(flatten)]
    machines: Machines,
}

/// Shows the drift.
pub fn run(Args { hosts, site, packed, tags, machines }: Args, format: Format) -> anyhow::Result<Exit> {
    let (site, files) = packed.files(site);
    let files = match files {
        Ok(files) => files,
        Err(refusal) => return Ok(view::refused(&refusal, format)),
    };
    let crew = machines.for_catalogs(&hosts, &site, &files);
    let wanted = Wanted::Catalog { verb: "drift", order: Order::Drift, site, tags, terms: Terms::default() };
    Errand { wanted, consent: Consent::Given, manner: Manner::Answer, format, files }.go(crew)
}
