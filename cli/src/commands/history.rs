//! `keel history`: the runs of machines, the last one first, and what became of them.

use super::Asked;
use crate::exit::Exit;
use crate::format::Format;
use wire::Order;

/// Lists the runs.
pub fn run(asked: Asked, format: Format) -> anyhow::Result<Exit> {
    asked.ask(Order::History, format)
}
