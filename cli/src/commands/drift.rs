//! `keel drift`: what somebody else changed since it was applied, when, and by whom if the host can tell. Writes nothing.

use super::Harmless;
use crate::exit::Exit;
use crate::format::Format;
use crate::view::show::Manner;
use wire::Order;

/// Shows the drift.
pub fn run(targets: Harmless, format: Format) -> anyhow::Result<Exit> {
    targets.each(("drift", Order::Drift), Manner::Answer, format)
}
