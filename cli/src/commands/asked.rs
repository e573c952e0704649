//! Arguments of the verbs that compile nothing: machines, each told the same. They connect to nothing by themselves.

use super::run_number::split_run;
use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::view::ask::Consent;
use crate::view::show::Manner;
use crate::work::{Errand, Inventory, Machines, Wanted};
use wire::Order;

/// Which machines are asked.
#[derive(Debug, clap::Args)]
pub struct Asked {
    /// Hosts: of the inventory by name, glob or @group, or as ssh has it: [user@]host[:port].
    #[arg(value_name = "HOST")]
    hosts: Vec<String>,
    #[command(flatten)]
    inventory: Inventory,
    #[command(flatten)]
    machines: Machines,
}

impl Asked {
    /// Gives each the order, and shows what it answers.
    pub fn ask(self, order: Order, format: Format) -> anyhow::Result<Exit> {
        self.go(Wanted::Same(order), (Consent::Given, Manner::Answer), format)
    }

    /// Does what is wanted of each.
    pub fn go(
        self,
        wanted: Wanted,
        (consent, manner): (Consent, Manner),
        format: Format,
    ) -> anyhow::Result<Exit> {
        let files = Files::default();
        let crew = self.machines.for_asking(&self.hosts, &self.inventory, &files);
        Errand { wanted, consent, manner, format, files }.go(crew)
    }
}

/// Which run is meant, and on which machines.
#[derive(Debug, clap::Args)]
pub struct OfRun {
    /// The run, by its number in `keel history`; the last one unless said, of `attach` the one under way first. Then hosts: of the inventory by name, glob or @group, or as ssh has it: [user@]host[:port].
    #[arg(value_name = "RUN|HOST")]
    words: Vec<String>,
    #[command(flatten)]
    inventory: Inventory,
    #[command(flatten)]
    machines: Machines,
}

impl OfRun {
    /// The run, and whom to ask.
    pub fn split(self) -> (Option<u64>, Asked) {
        let Self { words, inventory, machines } = self;
        let (run, hosts) = split_run(words);
        (run, Asked { hosts, inventory, machines })
    }
}
