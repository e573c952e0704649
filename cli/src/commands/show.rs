//! `keel show`: one run, op by op, as its journal has it, and what became of it.

use super::OfRun;
use crate::exit::Exit;
use crate::format::Format;
use wire::Order;

/// Shows the run.
pub fn run(of: OfRun, format: Format) -> anyhow::Result<Exit> {
    let (run, asked) = of.split();
    asked.ask(Order::Show { run }, format)
}
