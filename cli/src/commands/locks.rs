//! `keel locks`: what people have locked on machines.

use super::Asked;
use crate::exit::Exit;
use crate::format::Format;
use wire::Order;

/// Lists the locks.
pub fn run(asked: Asked, format: Format) -> anyhow::Result<Exit> {
    asked.ask(Order::Locks, format)
}
