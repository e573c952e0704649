//! `keel unlock`: lets everybody change machines again.

use super::Asked;
use crate::exit::Exit;
use crate::format::Format;
use wire::Order;

/// Arguments of `unlock`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the locks of this part, as `keel locks` shows it; all of them unless said.
    #[arg(long, value_name = "GLOB")]
    resource: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

/// Takes locks away, whoever put them there.
pub fn run(Args { resource, asked }: Args, format: Format) -> anyhow::Result<Exit> {
    asked.ask(Order::Unlock { resource }, format)
}
