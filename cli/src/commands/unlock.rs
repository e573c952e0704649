//! `keel unlock`: lets everybody change machines again.

use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::view::ask::Consent;
use crate::view::show::Manner;
use crate::work::{Errand, Inventory, Machines, Wanted};
use wire::Order;

/// Arguments of `unlock`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Hosts: of the inventory by name, glob or @group, or as ssh has it: [user@]host[:port].
    #[arg(value_name = "HOST")]
    hosts: Vec<String>,
    /// Only the locks of this part, as `keel locks` shows it; all of them unless said.
    #[arg(long, value_name = "GLOB")]
    resource: Option<String>,
    #[command(flatten)]
    inventory: Inventory,
    #[command(flatten)]
    machines: Machines,
}

/// Takes locks away, whoever put them there.
pub fn run(Args { hosts, resource, inventory, machines }: Args, format: Format) -> anyhow::Result<Exit> {
    let files = Files::default();
    let crew = machines.for_asking(&hosts, &inventory, &files);
    let wanted = Wanted::Same(Order::Unlock { resource });
    Errand { wanted, consent: Consent::Given, manner: Manner::Answer, format, files }.go(crew)
}
