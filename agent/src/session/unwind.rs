//! A run is undone without anybody's word: it was not confirmed, or failed and was to be undone then. It is a rollback under a journal of its
//! own, whose events stand with it; whoever watches the run that is undone hears only what came of it.

use super::guard::Sentry;
use super::job::{Clock, Drift, Ended, Rollback};
use super::rollback::roll_back_now;
use crate::engine::Locks;
use crate::state::{EventLog, StateDir};
use crate::system::System;
use model::{Event, EventBody, NodeStatus};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use wire::{Terms, Which};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unwound {
    /// All that the run changed is as it was.
    Whole,
    /// Not all; in words, what is left and why.
    InPart(String),
}

/// Undoes `run`, for a process that has the host's run lock. What the run changed goes back also where somebody has changed it since; what
/// stands there is kept for a rollback of this one.
pub(super) fn unwind(
    run: u64,
    (system, state, sentry): (&dyn System, &StateDir, &dyn Sentry),
    clock: Clock<'_>,
) -> Result<Unwound, Ended> {
    let left = Mutex::new(BTreeMap::new());
    let note = |event: &Event| {
        if let EventBody::Node { id, status, because, .. } = &event.body
            && matches!(status, NodeStatus::Failed | NodeStatus::Skipped | NodeStatus::Unknown)
        {
            left.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), because.clone());
        }
    };
    let events = EventLog::new(&note, clock);
    let rollback = Rollback {
        which: Which::One(run),
        drift: Drift::Overwrite,
        // What was done has to go, whoever has locked it since.
        locks: Locks::default(),
        // Nobody has to confirm this one.
        terms: &Terms::default(),
        sentry,
        system,
        state,
        events: &events,
        clock,
        // Half the way back is worse than either end of it.
        stop: &AtomicBool::new(false),
    };
    let report = roll_back_now(&rollback)?;
    let left = left.into_inner().unwrap_or_else(PoisonError::into_inner);
    let words = left.iter().map(|(id, because)| format!("{id}: {because}")).collect::<Vec<_>>();
    Ok(if report.is_converged() { Unwound::Whole } else { Unwound::InPart(words.join("; ")) })
}
