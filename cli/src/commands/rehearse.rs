//! `keel rehearse`: the whole run for real, in a throwaway copy of the machine, and what it would change.

use super::Harmless;
use crate::exit::Exit;
use crate::format::Format;
use crate::view::show::Manner;
use wire::Order;

/// Rehearses.
pub fn run(targets: Harmless, format: Format) -> anyhow::Result<Exit> {
    targets.each(("rehearse", Order::Rehearse), Manner::Rehearsal, format)
}
