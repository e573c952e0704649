//! What somebody else changed on a host, and what is known of when and by whom. Nothing here is guessed: each trace says where it comes from.

use crate::{Because, Diff, Id, Origin};
use serde::{Deserialize, Serialize};

/// What of a catalog is not as it was when it was last applied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The resources, in catalog order: those that drifted, and those of which it is not known whether they did.
    pub resources: Vec<Drifted>,
    /// How many differ because something else is desired of them by now.
    pub intended: u64,
    /// What could not be told, and why.
    pub untold: Vec<(Id, String)>,
    /// How many are as desired.
    pub even: u64,
}

/// A resource that is not as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drifted {
    /// Which.
    pub id: Id,
    /// Where it was declared.
    pub origin: Option<Origin>,
    /// Whether that is drift, or whether what was last applied is not known.
    pub because: Because,
    /// The fields that differ: `before` is what was found, `after` what was applied.
    pub diffs: Vec<Diff>,
    /// What would bring it back, a line each.
    pub changes: Vec<String>,
    /// Differences of text, as unified diffs by path, from what was found to what was applied.
    pub texts: Vec<(String, String)>,
    /// What is known of when and by whom, by time; what has no time comes last.
    pub traces: Vec<Trace>,
}

/// Something that the host knows of a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Trace {
    /// When, RFC 3339 in UTC; empty where that is not known.
    pub at: String,
    /// What it is about.
    pub about: About,
    /// Where it comes from, such as `ctime of /etc/motd` or `the journal, sudo`.
    pub from: String,
    /// What it says.
    pub says: String,
}

/// What a trace is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// When it was as desired.
    Good,
    /// When it was changed, or when that was noticed.
    When,
    /// Who changed it.
    Who,
    /// Who was there at that time, and may have nothing to do with it.
    There,
    /// What could not be asked.
    Unknown,
}
