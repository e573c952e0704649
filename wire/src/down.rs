//! From the controller to the host.

use crate::Order;
use model::Digest;
use serde::{Deserialize, Serialize};

/// A message to the host. In this order: `Order`, each `Secret` with its bytes, `Go`; then answers to what the host asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Down {
    /// What to do.
    Order(Box<Order>),
    /// A secret of the catalog by its name there; its value follows as one frame of bytes.
    Secret {
        /// Its name.
        name: String,
    },
    /// The order is whole.
    Go,
    /// Contents that the host wanted; they follow as frames of bytes, so many bytes in all.
    Content {
        /// Which.
        digest: Digest,
        /// Bytes in all.
        size: u64,
    },
    /// Contents that the host wanted, and the controller cannot give.
    Lacking {
        /// Which.
        digest: Digest,
        /// Why not.
        because: String,
    },
    /// The answer to `Up::Question`. A yes is the commit point: until then nothing on the host has changed, from then on the run
    /// is the host's own.
    Answer {
        /// Whether to go on.
        yes: bool,
    },
    /// Stop at the next safe point.
    Stop,
    /// Nothing new; the controller is still there.
    Alive,
}
