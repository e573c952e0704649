//! What a run tells while it goes. One event a line of JSON; the same bytes in the run's log and on a terminal.

use crate::{Id, Origin, Plan, Rehearsal, Report};
use serde::{Deserialize, Serialize};

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Counts the events of a run, from 0.
    pub seq: u64,
    /// What.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventBody {
    /// The plan is known.
    Plan(Plan),
    /// A run has begun to change the host.
    Started {
        /// Name of the run.
        run: String,
    },
    /// A node is being worked on.
    Working {
        /// Which.
        id: Id,
    },
    /// A node is settled.
    Node {
        /// Which.
        id: Id,
        /// Where it was declared.
        origin: Option<Origin>,
        /// How it ended.
        status: NodeStatus,
        /// What was done, a line each.
        changes: Vec<String>,
        /// Why it failed or was skipped; empty otherwise.
        because: String,
        /// How long it took, in milliseconds.
        millis: u64,
    },
    /// The work waits for something that is not its own.
    Waiting {
        /// For what, such as `the package manager` or `another run`.
        what: String,
        /// Who has it, as far as is known: process, command, unit, since when.
        who: String,
        /// How many seconds it goes on waiting before it gives up.
        left: u64,
    },
    /// The run could lock the controller out: it will be unwound unless it is confirmed over a fresh connection.
    Armed {
        /// Name of the run.
        run: String,
        /// Within so many seconds after its end.
        window: u64,
        /// What it touches that is so delicate, a few words each.
        because: Vec<String>,
    },
    /// The run was confirmed: what it did stays.
    Confirmed {
        /// Name of the run.
        run: String,
    },
    /// The host goes down now; the run goes on when it is up again.
    Rebooting {
        /// How many seconds that may take.
        timeout: u64,
    },
    /// The host is up again, and the run goes on.
    Resumed {
        /// Boot id of the kernel.
        boot: String,
    },
    /// What the run did was unwound.
    Reverted {
        /// Name of the run that was unwound.
        run: String,
        /// Why.
        because: String,
    },
    /// Something the operator should know.
    Note {
        /// In words.
        text: String,
    },
    /// What a rehearsal found.
    Rehearsal(Box<Rehearsal>),
    /// The work could not begin, or not go on; its report follows.
    Error {
        /// Why.
        text: String,
    },
    /// The end: always the last event.
    Report(Report),
}

/// How a node ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeStatus {
    /// It was as wanted.
    Unchanged,
    /// It was changed.
    Changed,
    /// It was refreshed only.
    Refreshed,
    /// It failed.
    Failed,
    /// It was left out, by the user's own choice of tags; not counted.
    LeftOut,
    /// It was not tried.
    Skipped,
    /// Its state could not be told.
    Unknown,
}
