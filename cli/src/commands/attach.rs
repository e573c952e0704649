//! `keel attach`: what a run tells that goes on by itself, up to its end.

use super::run_number::split_run;
use crate::exit::Exit;
use crate::format::Format;
use crate::library::Files;
use crate::view::ask::Consent;
use crate::view::show::Manner;
use crate::work::{Errand, Inventory, Machines, Since, Wanted};

/// Arguments of `attach`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run, by its number in `keel history`; the one under way unless said, or the last one. Then hosts: of the inventory by name, glob or @group, or as ssh has it: [user@]host[:port].
    #[arg(value_name = "RUN|HOST")]
    words: Vec<String>,
    #[command(flatten)]
    inventory: Inventory,
    /// Tells all of the run, also what was told here before.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    machines: Machines,
}

/// Tells of the run, and ends as it does.
pub fn run(Args { words, inventory, all, machines }: Args, format: Format) -> anyhow::Result<Exit> {
    let (run, hosts) = split_run(words);
    let files = Files::default();
    let crew = machines.for_asking(&hosts, &inventory, &files);
    let wanted = Wanted::Attach { run, since: if all { Since::Begin } else { Since::Unseen } };
    Errand { wanted, consent: Consent::Given, manner: Manner::Straight, format, files }.go(crew)
}
