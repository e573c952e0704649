//! What a piece of work needs from outside.

use super::guard::Sentry;
use crate::engine::{Choice, Faults, Locks, Sink};
use crate::kind::Registered;
use crate::state::{EventLog, StateDir};
use crate::system::System;
use model::{Catalog, EventBody, Failure, Plan, Report, Retention, Secrets};
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;
use wire::{Blobs, Terms, Which};

/// Time as the caller gives it: RFC 3339 in UTC.
pub type Clock<'a> = &'a (dyn Fn() -> String + Sync);

/// The catalog and the host it is for.
pub struct Job<'a> {
    /// What the host is to be.
    pub catalog: &'a Catalog,
    /// The catalog's secrets.
    pub secrets: &'a Secrets,
    /// Its contents.
    pub blobs: &'a dyn Blobs,
    /// The kinds of resource.
    pub kinds: &'a [&'a dyn Registered],
    /// Which source of catalogs this is; orphans are told apart by it.
    pub scope: &'a str,
    /// Which nodes are to be worked on.
    pub choice: Choice,
    /// The host.
    pub system: &'a dyn System,
    /// The host's state.
    pub state: &'a StateDir,
    /// Where events go.
    pub events: &'a EventLog<'a>,
    /// The time.
    pub clock: Clock<'a>,
    /// What was asked for, such as `apply -f web.toml`; for the journal.
    pub command: String,
    /// How it is to be carried out.
    pub terms: &'a Terms,
    /// Who starts what has to outlive this process.
    pub sentry: &'a dyn Sentry,
    /// Becomes true when the run is to stop at the next safe point.
    pub stop: &'a AtomicBool,
    /// Faults to inject; none outside tests.
    pub faults: Faults,
}

impl Job<'_> {
    /// True where it is about a part of what its scope has on the host: then nothing is an orphan.
    pub(super) fn is_part(&self) -> bool {
        self.terms.is_part || self.choice.part.is_narrow()
    }
}

/// What to roll back, and where.
pub struct Rollback<'a> {
    /// Which runs.
    pub which: Which,
    /// What to do with things that somebody changed since.
    pub drift: Drift,
    /// What people have locked.
    pub locks: Locks,
    /// How it is to be carried out.
    pub terms: &'a Terms,
    /// Who starts what has to outlive this process.
    pub sentry: &'a dyn Sentry,
    /// The host.
    pub system: &'a dyn System,
    /// The host's state.
    pub state: &'a StateDir,
    /// Where events go.
    pub events: &'a EventLog<'a>,
    /// The time.
    pub clock: Clock<'a>,
    /// Becomes true when the run is to stop at the next safe point.
    pub stop: &'a AtomicBool,
}

/// What to do with a thing that is not as the run left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// Leave it, and say so.
    Refuse,
    /// Bring it back all the same; its present state is kept for another rollback.
    Overwrite,
}

/// The answer to "shall I?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Yes,
    /// Do nothing.
    No,
}

/// "Shall I?", with the plan. Where it fails nothing is done, and the failure is the end.
pub type Ask<'a> = &'a dyn Fn(&Plan) -> Result<Answer, Failure>;

/// Why a piece of work did not come to a report.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// Another run has the host.
    #[error("another run has this host: {0}")]
    Locked(String),
    /// Somebody has locked the host, or something of it that would have to change.
    #[error("{0}")]
    SoftLocked(String),
    /// The answer was no; what would have changed counts as skipped.
    #[error("nothing was done")]
    Declined(Box<Report>),
    /// It could not begin.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// It began, and could not go on; what was done is in the journal.
    #[error("the run could not go on: {failure}")]
    Broken {
        /// What was done so far.
        report: Box<Report>,
        /// Why.
        failure: Failure,
    },
}

/// Boot id of the kernel, which tells one uptime from another.
pub(super) fn boot_id() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    // Only shown to people; a system without it is none of ours to refuse.
    read.map_or_else(|_| "unknown".to_owned(), |id| id.trim().to_owned())
}

/// Forgets old runs, and what runs that died left half written. It is housekeeping: where it fails, the run has ended well all the same.
pub(super) fn forget_old_runs(state: &StateDir, events: &EventLog<'_>, terms: &Terms) {
    let keep = Retention { runs: terms.keep_runs, days: terms.keep_days };
    if let Err(failure) = state.prune(keep).and_then(|()| state.remove_strays(SystemTime::now())) {
        events.emit(EventBody::Note { text: format!("old runs could not be forgotten: {failure}") });
    }
}
