//! `keel facts`: what machines say of themselves, as templates and `when` see it.

use super::Asked;
use crate::exit::Exit;
use crate::format::Format;
use wire::Order;

/// Prints the facts.
pub fn run(asked: Asked, format: Format) -> anyhow::Result<Exit> {
    asked.ask(Order::Facts, format)
}
