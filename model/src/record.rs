//! What the journal says, record by record. Written ahead: a record is durable before what it announces is done.

use crate::{Fingerprint, Id, Op, Owed, Report, State, Subject};
use serde::{Deserialize, Serialize};

/// Version of the records. A reader refuses a higher one.
pub const JOURNAL_VERSION: u32 = 2;

/// One record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The run begins. Always the first record.
    Begin(Begin),
    /// `to` will have to be refreshed, because `from` is about to change. Also what earlier runs left owed.
    Owed(Owed),
    /// An op is about to be executed, on subjects whose images are these.
    Intent {
        /// Counts the ops of the run, from 1.
        seq: u64,
        /// For which nodes; several where their packages go in one transaction; one for each
        /// change where names change together.
        nodes: Vec<Id>,
        /// The op; nothing secret in it.
        op: Box<Op>,
        /// Before-images.
        before: Vec<(Subject, State)>,
        /// Of a transaction of packages: all of them as they were, by name, kept as JSON. What one that is cut off has changed besides those
        /// that it names is known by this alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        packages: Option<Fingerprint>,
    },
    /// The op is done, durably.
    Done {
        /// Which.
        seq: u64,
        /// After-images.
        after: Vec<(Subject, State)>,
        /// What else it changed: before and after.
        touched: Vec<(Subject, State, State)>,
    },
    /// The op failed; what it left is for the next run to see.
    Failed {
        /// Which.
        seq: u64,
        /// Why.
        because: String,
        /// What it changed all the same: before and after.
        touched: Vec<(Subject, State, State)>,
    },
    /// `to` has been refreshed.
    Settled(Owed),
    /// The machine was rebooted, and the run goes on.
    Resumed(Resumed),
    /// The run ended by itself. Always the last record.
    End(Report),
}

/// What a run is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// Version of the records.
    pub version: u32,
    /// Number of the run on this host, from 1.
    pub run: u64,
    /// When, RFC 3339 in UTC. For people: order comes from `run`.
    pub at: String,
    /// Boot id of the kernel.
    pub boot: String,
    /// What was asked for, such as `apply -f web.toml`.
    pub command: String,
    /// The run that this one rolls back; the first one, where they are several.
    pub undoes: Option<u64>,
    /// The last of the runs that this one rolls back, where they are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<u64>,
    /// Within so many seconds after its end it is undone unless it is confirmed; `None` where nobody has to confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed: Option<u64>,
}

/// A run that goes on after the machine was rebooted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// Boot id of the kernel; another one than before.
    pub boot: String,
}
