//! Confirm or revert, from the controller's side: it has come in again after the run's end, so what the run did stays.
//!
//! It never touches what the run changed. Whoever comes too late is told so.

use super::guard::{Sentry, holder};
use super::job::Clock;
use crate::engine::Sink;
use crate::state::{EventLog, Phase, Read, StateDir, Taken};
use model::{EventBody, Failure, Settled};
use std::time::{Duration, Instant};

/// How often a run that is being unwound, or about to end, is looked at again.
const AGAIN: Duration = Duration::from_millis(100);

/// What a confirmation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// What the run did stays from now on; the events have told so.
    Now,
    /// It was confirmed before: the answer to that may have been lost.
    Before,
    /// Nobody had to confirm the run.
    Needless,
    /// It came too late: what the run did was unwound. In words, why.
    Undone(String),
    /// It came too late, and not all that the run did could be unwound. In words, what.
    Stuck(String),
}

/// How long a confirmation waits for what is under way.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the run to end: its report is told before it has let go of the host.
    pub ending: Duration,
    /// For a run that is being unwound, to tell what came of it.
    pub unwinding: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { ending: Duration::from_secs(10), unwinding: Duration::from_secs(600) }
    }
}

/// Keeps what `run` did. `events` are told of it, and are those of the run from then on.
///
/// # Errors
/// There is no such run, it is still under way, or what became of it could not be told.
pub fn confirm(
    run: u64,
    (state, sentry): (&StateDir, &dyn Sentry),
    (events, clock): (&EventLog<'_>, Clock<'_>),
    patience: Patience,
) -> Result<Confirmed, Failure> {
    if state.status(run)? == Read::Nothing {
        return Err(Failure::refused(format!("there is no run {run}"), "`keel history` lists them"));
    }
    let since = Instant::now();
    loop {
        let guard = state.lock_pending("confirm")?;
        let pending = state.pending()?.filter(|pending| pending.run == run);
        let (what, patience) = match pending.map(|pending| pending.phase) {
            None => return Ok(as_settled(state.settled(run)?)),
            Some(Phase::Unwinding) => ("run that is being undone to be so", patience.unwinding),
            Some(phase) if phase == Phase::Waiting || has_ended(state, clock, run)? => {
                guard.settle(run, &Settled::Confirmed)?;
                // What counts is settled; that the events could not be gone on with changes nothing.
                if events.resume(state, run).is_ok() {
                    events.emit(EventBody::Confirmed { run: run.to_string() });
                }
                guard.clear()?;
                sentry.relieve()?;
                return Ok(Confirmed::Now);
            }
            Some(_) => ("run that is under way to end", patience.ending),
        };
        drop(guard);
        if since.elapsed() >= patience {
            return Err(Failure::Timeout { what: format!("the {what}"), seconds: patience.as_secs() });
        }
        std::thread::sleep(AGAIN);
    }
}

fn as_settled(settled: Option<Settled>) -> Confirmed {
    match settled {
        None => Confirmed::Needless,
        Some(Settled::Confirmed) => Confirmed::Before,
        Some(Settled::Reverted(because)) => Confirmed::Undone(because),
        Some(Settled::Stuck(what)) => Confirmed::Stuck(what),
    }
}

/// True where nobody has the host, and the run does not come back after a reboot: it has ended, and its watcher has not noticed yet.
fn has_ended(state: &StateDir, clock: Clock<'_>, run: u64) -> Result<bool, Failure> {
    Ok(state.goes_on()? != Some(run) && matches!(state.lock(&holder(run, clock))?, Taken::Ours(_)))
}
