//! `keel plan`: what `apply` would do, and what it cannot know. Writes nothing.

use super::Harmless;
use crate::exit::Exit;
use crate::format::Format;
use crate::view::show::Manner;
use wire::Order;

/// Shows the plan.
pub fn run(targets: Harmless, format: Format) -> anyhow::Result<Exit> {
    targets.each(("plan", Order::Plan), Manner::Forecast, format)
}
