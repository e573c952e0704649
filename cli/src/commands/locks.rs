//! `keel locks`: what people have locked on machines.

use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::view::ask::Consent;
use crate::view::show::Manner;
use crate::work::{Errand, Inventory, Machines, Wanted};
use wire::Order;

/// Arguments of `locks`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Hosts: of the inventory by name, glob or @group, or as ssh has it: [user@]host[:port].
    #[arg(value_name = "HOST")]
    hosts: Vec<String>,
    #[command(flatten)]
    inventory: Inventory,
    #[command(flatten)]
    machines: Machines,
}

/// Lists the locks.
pub fn run(Args { hosts, inventory, machines }: Args, format: Format) -> anyhow::Result<Exit> {
    let files = Files::default();
    let crew = machines.for_asking(&hosts, &inventory, &files);
    let wanted = Wanted::Same(Order::Locks);
    Errand { wanted, consent: Consent::Given, manner: Manner::Answer, format, files }.go(crew)
}
