//! `keel show`: one run, op by op, as its journal has it.

use super::run_number::split_run;
use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::view::ask::Consent;
use crate::view::show::Manner;
use crate::work::{Errand, Inventory, Machines, Wanted};
use wire::Order;

/// Arguments of `show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run, by its number in `keel history`, the last one unless said; then hosts: of the inventory by name, glob or @group, or as ssh has it: [user@]host[:port].
    #[arg(value_name = "RUN|HOST")]
    words: Vec<String>,
    #[command(flatten)]
    inventory: Inventory,
    #[command(flatten)]
    machines: Machines,
}

/// Shows the run.
pub fn run(Args { words, inventory, machines }: Args, format: Format) -> anyhow::Result<Exit> {
    let (run, hosts) = split_run(words);
    let files = Files::default();
    let crew = machines.for_asking(&hosts, &inventory, &files);
    let wanted = Wanted::Same(Order::Show { run });
    Errand { wanted, consent: Consent::Given, manner: Manner::Answer, format, files }.go(crew)
}
