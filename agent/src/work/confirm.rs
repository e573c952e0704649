//! An order to keep what a run did, and how that ended in one word.

use super::means::Means;
use crate::detached::Posted;
use crate::engine::Sink;
use crate::session::{self, Confirmed, Patience};
use crate::state::EventLog;
use model::{EventBody, Failure};
use wire::Ending;

/// Keeps what `run` did. Who comes too late is told what became of it.
pub(super) fn confirm(run: u64, means: &Means<'_>) -> Ending {
    let events = EventLog::new(means.watch, means.clock);
    let host = (means.state, &Posted::of(means.state) as &dyn session::Sentry);
    let text = match session::confirm(run, host, (&events, means.clock), Patience::default()) {
        Ok(Confirmed::Now | Confirmed::Needless) => return Ending::Unchanged,
        Ok(Confirmed::Before) => {
            events.emit(EventBody::Confirmed { run: run.to_string() });
            return Ending::Unchanged;
        }
        Ok(Confirmed::Undone(because)) => {
            events.emit(EventBody::Reverted { run: run.to_string(), because });
            return Ending::Reverted;
        }
        Ok(Confirmed::Stuck(left)) => {
            format!("run {run} was not confirmed, and not all of it could be undone: {left}")
        }
        Err(failure @ Failure::Refused { .. }) => return Ending::Refused(failure),
        Err(failure) => format!("run {run} could not be confirmed: {failure}"),
    };
    events.emit(EventBody::Error { text });
    Ending::Failed
}
