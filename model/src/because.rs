//! Why a resource differs from what is desired of it.

use serde::{Deserialize, Serialize};

/// Why a resource is to change. The host's ledger tells: it keeps what was desired of each resource when it was last as desired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Drift: the same was desired of it, and was there, before. Somebody else changed it.
    Drift,
    /// Something else is desired of it now, or it is new.
    Intended,
    /// It is as it was; what it is to do follows from what becomes of others.
    Follows,
    /// It cannot be told: what was last applied is not known (the ledger was written before it told that, or half of it was done),
    /// or a guard answers otherwise than it did, and it may ask about anything.
    Unknown,
    /// The same was desired of it, was there, and was rolled back: it differs by somebody's will.
    RolledBack,
}
