//! From the controller to the host.

use crate::frame::LONGEST;
use crate::{Message, Order};
use model::Digest;
use serde::{Deserialize, Serialize};

/// A message to the host. In this order: `Speak`, `Order`, each `Secret` with its bytes, `Go`; then answers to what the host asks.
/// `Alive` and `Stop` may come at any time but before the bytes that belong to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Down {
    /// The version that is spoken from here on, as [`crate::common`] says of both sides' own.
    Speak {
        /// The version.
        protocol: u32,
    },
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
    /// Contents that the host wanted, and the controller cannot give. It may come where bytes of that content are due: then there are no
    /// more of them.
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

impl Message for Down {
    const LONGEST: u32 = LONGEST;
    const TOTAL: u64 = 2 * LONGEST as u64;
}
