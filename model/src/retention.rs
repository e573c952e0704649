//! How long a host remembers its runs.

use serde::{Deserialize, Serialize};

/// How many runs are kept, at least, and for how long. What is not said is left as the host has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// So many of the last runs.
    pub runs: Option<u64>,
    /// And those of so many days, however many they are.
    pub days: Option<u64>,
}
