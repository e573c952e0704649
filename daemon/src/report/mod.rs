//! What the agent tells, and to whom: one file for each way of telling. A way that fails is told by the others, and stops nothing.

pub mod journald;
mod key;
pub mod lines;
mod name;
pub mod outbox;
pub mod pagerduty;
pub mod prometheus;
pub mod queue;
mod reporter;
pub mod syslog;
pub mod way;
pub mod webhook;

pub use reporter::{News, Reporter};

use crate::source::Bundle;
use model::{Because, Id, Report};
use serde::Serialize;

/// Something that the agent tells. As JSON it is one line, with nothing secret in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Name of the host.
    pub host: String,
    /// Version of the catalog in force; `None` while there is none.
    pub catalog: Option<String>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What there is to tell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// The agent runs.
    Started {
        /// Where its catalog comes from.
        source: String,
    },
    /// It ends.
    Stopped,
    /// There is a catalog that was not in force before.
    Catalog {
        /// How many resources it has.
        resources: usize,
        /// What is not good about the site, a line each.
        warnings: Vec<String>,
    },
    /// The site cannot be compiled: the last good catalog stays in force.
    NoCatalog {
        /// Why.
        why: String,
    },
    /// There is a bundle that was not in force before.
    Bundle {
        /// Which.
        bundle: Bundle,
    },
    /// No newer bundle was taken: one was refused, or none could be had. The last good one stays in force.
    Refused {
        /// Why.
        why: String,
        /// The counter of the one in force.
        counter: Option<u64>,
    },
    /// Resources were looked at.
    Looked {
        /// What for.
        cause: Cause,
        /// The sum.
        report: Report,
        /// How long it took, in milliseconds.
        millis: u64,
    },
    /// Somebody else changed a resource, and it is left so.
    Drift {
        /// Which.
        id: Id,
        /// What would bring it back, a line each.
        changes: Vec<String>,
        /// Why it is left.
        left: String,
    },
    /// A resource was put right.
    Corrected {
        /// Which.
        id: Id,
        /// Whether somebody else had changed it, what is desired of it has changed, it followed another, or nobody knows.
        because: Because,
        /// What was done, a line each.
        changes: Vec<String>,
        /// Number of the run.
        run: Option<String>,
    },
    /// What is desired of a resource has changed, and that waits.
    Held {
        /// Which.
        id: Id,
        /// What for.
        left: String,
    },
    /// A resource could not be told, or not be put right.
    Failed {
        /// Which.
        id: Id,
        /// Why.
        why: String,
    },
    /// A resource that was not as it was, or had failed, is as desired again.
    Even {
        /// Which.
        id: Id,
    },
    /// A resource was corrected too often, and is left alone for a while.
    Fight {
        /// Which.
        id: Id,
        /// How often it was corrected.
        corrections: usize,
        /// Until when, RFC 3339 in UTC.
        until: String,
        /// What is known of the other side.
        other: String,
    },
    /// Nobody had to correct it for long enough.
    FightOver {
        /// Which.
        id: Id,
    },
    /// The agent changes nothing for a while.
    Paused {
        /// By whom, until when, and why.
        words: String,
    },
    /// It goes on.
    Resumed,
    /// Something cannot be watched: it is looked at by the schedule alone, or nobody knows who writes there.
    Unwatched {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// Something the operator should know.
    Note {
        /// In words.
        text: String,
    },
}

/// What resources are looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The agent has begun.
    Start,
    /// It is time.
    Schedule,
    /// Something happened to them.
    Event,
    /// The site changed.
    Site,
    /// They were asked for, or waited.
    Asked,
}
