//! A lock that people put on a host, with a reason and an end. The lock of a run is the kernel's, and another thing.

use serde::{Deserialize, Serialize};

/// Keeps runs from changing a host, or a part of it, until it expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftLock {
    /// Which resources, as a glob over their ids such as `file./etc/nginx/*`; all where it is `None`.
    pub resource: Option<String>,
    /// Who put it there.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Since when, RFC 3339 in UTC; the host's own clock.
    pub since: String,
    /// How many seconds it lasts.
    pub seconds: u64,
}
