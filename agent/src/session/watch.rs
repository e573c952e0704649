//! Confirm or revert, from the watcher's side: when the run has ended, or died, it has so many seconds to be confirmed; then it is unwound.
//!
//! The watcher holds the host's run lock from the run's end on, so that nothing is built on what may have to go. All it knows is on the disk:
//! whoever kills it, or the machine, has it begin again with a full window. Time is that of a clock that nobody can set.

use super::guard::{Sentry, holder, post_lock};
use super::job::{Clock, Ended};
use super::unwind::{Unwound, unwind};
use crate::engine::Sink;
use crate::os::lock::{Attempt, Lock, lock_within};
use crate::state::{EventLog, Pending, Phase, StateDir, Taken};
use crate::system::System;
use model::{EventBody, Failure, Settled};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wire::CONFIRM_WITHIN;

/// How often it is looked whether the run has ended or was confirmed.
const AGAIN: Duration = Duration::from_millis(100);

/// How long another watcher over the same run is waited for.
const CHANGE: Duration = Duration::from_secs(5);

/// How long a run may take to come back after a reboot of its own, during which nobody has the host.
const COMEBACK: Duration = Duration::from_secs(300);

/// How often unwinding is tried: a package manager that was busy may be free a little later.
const ATTEMPTS: u32 = 3;

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_secs(5);

/// Whom to watch over, and where.
pub struct Watch<'a> {
    /// The run.
    pub run: u64,
    /// The host.
    pub system: &'a dyn System,
    /// The host's state.
    pub state: &'a StateDir,
    /// What was asked to start this process.
    pub sentry: &'a dyn Sentry,
    /// The time, for people.
    pub clock: Clock<'a>,
    /// Becomes true when the process is to end; it is started again then. What is being unwound is unwound first.
    pub stop: &'a AtomicBool,
}

/// Watches over a run until nothing has to be done for it any more. Whoever reads the state can tell what came of it.
///
/// # Errors
/// It could not be done, or the process was told to end: it has to be started again.
pub fn watch(watch: &Watch<'_>) -> Result<(), Failure> {
    let Some(_post) = take_post(watch)? else { return Ok(()) };
    let Some(pending) = waiting(watch)? else { return Ok(()) };
    let Some(_lock) = until_ended(watch)? else { return Ok(()) };
    if pending.phase != Phase::Unwinding && !until_late(watch, &pending)? {
        return Ok(());
    }
    if watch.state.settled(watch.run)?.is_none() {
        let settled = undo(watch, &pending)?;
        watch.state.lock_pending("watch")?.settle(watch.run, &settled)?;
    }
    tell(watch)
}

/// The right to watch over the run; `None` where somebody else has it.
fn take_post(watch: &Watch<'_>) -> Result<Option<Lock>, Failure> {
    match lock_within(&post_lock(watch.state), &holder(watch.run, watch.clock), CHANGE)? {
        Attempt::Taken(lock) => Ok(Some(lock)),
        Attempt::Held(_) => Ok(None),
    }
}

/// What is watched over; `None` where nothing waits any more.
fn waiting(watch: &Watch<'_>) -> Result<Option<Pending>, Failure> {
    match watch.state.pending() {
        // The note of it is damaged. That must not keep a host out of reach: nobody is posted but for a run that waits.
        Err(Failure::Refused { .. }) => {
            let (run, because) = (watch.run, vec!["it was asked for".to_owned()]);
            let window = watch.state.window(run)?.unwrap_or(CONFIRM_WITHIN);
            Ok(Some(Pending { run, window, because, phase: Phase::Waiting }))
        }
        pending => Ok(pending?.filter(|pending| pending.run == watch.run)),
    }
}

fn pause(watch: &Watch<'_>) -> Result<(), Failure> {
    if watch.stop.load(Ordering::SeqCst) {
        return Err(Failure::refused("the watcher was told to end", "start it again"));
    }
    std::thread::sleep(AGAIN);
    Ok(())
}

/// Waits until nobody has the host, and takes it; `None` where nothing waits any more.
fn until_ended(watch: &Watch<'_>) -> Result<Option<Lock>, Failure> {
    let since = Instant::now();
    while waiting(watch)?.is_some() {
        let goes_on = since.elapsed() < COMEBACK && watch.state.goes_on()? == Some(watch.run);
        if !goes_on && let Taken::Ours(lock) = watch.state.lock(&holder(watch.run, watch.clock))? {
            return Ok(Some(lock));
        }
        pause(watch)?;
    }
    Ok(None)
}

/// Lets the window pass; false where the run was confirmed in it. From true on nobody can confirm it.
fn until_late(watch: &Watch<'_>, pending: &Pending) -> Result<bool, Failure> {
    if !step(watch, pending, Phase::Waiting)? {
        return Ok(false);
    }
    let (since, window) = (Instant::now(), Duration::from_secs(pending.window));
    while since.elapsed() < window {
        pause(watch)?;
        if waiting(watch)?.is_none() {
            return Ok(false);
        }
    }
    step(watch, pending, Phase::Unwinding)
}

/// Writes down that the run is further; false where it was settled.
fn step(watch: &Watch<'_>, pending: &Pending, phase: Phase) -> Result<bool, Failure> {
    let guard = watch.state.lock_pending("watch")?;
    if waiting(watch)?.is_none() {
        return Ok(false);
    }
    if watch.state.settled(watch.run)?.is_some() {
        // Whoever settled it did not come to take it away.
        guard.clear()?;
        return Ok(false);
    }
    guard.put(&Pending { phase, ..pending.clone() })?;
    Ok(true)
}

/// Unwinds the run, and says what came of it.
fn undo(watch: &Watch<'_>, pending: &Pending) -> Result<Settled, Failure> {
    let mut left = String::new();
    for attempt in 1..=ATTEMPTS {
        let (state, sentry) = (watch.state, watch.sentry);
        match unwind(watch.run, (watch.system, state, sentry), watch.clock) {
            Ok(Unwound::Whole) => {
                return Ok(Settled::Reverted(format!("nobody confirmed it within {} s", pending.window)));
            }
            Ok(Unwound::InPart(words)) => left = words,
            // Without a journal nothing may be done: the next start of this process tries again.
            Err(Ended::Broken { failure, .. }) => return Err(failure),
            Err(ended) => left = ended.to_string(),
        }
        if attempt < ATTEMPTS {
            std::thread::sleep(PAUSE);
        }
    }
    Ok(Settled::Stuck(left))
}

/// Tells in the run's events what became of it. Done twice where a crash came between the two, and never left out.
fn tell(watch: &Watch<'_>) -> Result<(), Failure> {
    let run = watch.run.to_string();
    let body = match watch.state.settled(watch.run)? {
        Some(Settled::Reverted(because)) => Some(EventBody::Reverted { run, because }),
        Some(Settled::Stuck(left)) => {
            let text = format!("run {run} was not confirmed, and not all of it could be undone: {left}");
            Some(EventBody::Error { text })
        }
        Some(Settled::Confirmed) | None => None,
    };
    if let Some(body) = body {
        let events = EventLog::new(&|_| {}, watch.clock);
        events.resume(watch.state, watch.run)?;
        events.emit(body);
    }
    watch.state.lock_pending("watch")?.clear()?;
    watch.sentry.relieve()
}

#[expect(clippy::disallowed_methods, reason = "makes scratch files")]
#[cfg(test)]
mod tests {
    use super::{Watch, until_late, watch};
    use crate::session::NoSentry;
    use crate::state::{Pending, Phase, StateDir};
    use crate::system::Layer;
    use jiff::Timestamp;
    use model::Settled;
    use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
    use std::time::{Duration, Instant};

    /// Run 1 waits to be confirmed for no time at all; it did nothing.
    fn waiting(phase: Phase) -> (tempfile::TempDir, StateDir) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make().unwrap();
        std::fs::create_dir(state.run_dir(1)).unwrap();
        let pending = Pending { run: 1, window: 0, because: Vec::new(), phase };
        state.lock_pending("test").unwrap().put(&pending).unwrap();
        (dir, state)
    }

    fn watched(state: &StateDir, stop: &AtomicBool) -> bool {
        let (clock, host) = (|| "2026-01-01T00:00:00Z".to_owned(), Layer::memory());
        watch(&Watch { run: 1, system: &host, state, sentry: &NoSentry, clock: &clock, stop }).is_ok()
    }

    #[test]
    fn a_run_that_goes_on_after_a_reboot_has_not_ended() {
        let (_dir, state) = waiting(Phase::Armed);
        std::fs::write(state.run_dir(1).join("goes-on"), "").unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let watcher = scope.spawn(|| watched(&state, &stop));
            std::thread::sleep(Duration::from_millis(400));
            assert_eq!(state.pending().unwrap().map(|it| it.phase), Some(Phase::Armed));
            stop.store(true, Ordering::SeqCst);
            assert!(!watcher.join().unwrap(), "it has to be started again");
        });
    }

    #[test]
    fn what_was_confirmed_just_before_a_crash_stays() {
        for phase in [Phase::Armed, Phase::Waiting] {
            let (_dir, state) = waiting(phase);
            state.lock_pending("test").unwrap().settle(1, &Settled::Confirmed).unwrap();
            assert!(watched(&state, &AtomicBool::new(false)));
            assert_eq!(
                (state.pending().unwrap(), state.settled(1).unwrap()),
                (None, Some(Settled::Confirmed))
            );
            assert!(state.status(2).unwrap() == crate::state::Read::Nothing, "nothing was unwound");
        }
    }

    /// A clock that somebody sets by so many seconds whenever it is looked at.
    fn set_by(seconds: i64) -> impl Fn() -> String + Sync {
        let at = AtomicI64::new(1_767_225_600);
        move || Timestamp::from_second(at.fetch_add(seconds, Ordering::SeqCst)).unwrap().to_string()
    }

    #[test]
    fn a_clock_that_is_set_neither_shortens_nor_stretches_the_window() {
        static LATE: AtomicBool = AtomicBool::new(false);
        std::thread::spawn(|| {
            std::thread::sleep(Duration::from_secs(20));
            LATE.store(true, Ordering::SeqCst);
        });
        for seconds in [86_400, -86_400] {
            let (_dir, state) = waiting(Phase::Waiting);
            let (clock, host, since) = (set_by(seconds), Layer::memory(), Instant::now());
            let over =
                Watch { run: 1, system: &host, state: &state, sentry: &NoSentry, clock: &clock, stop: &LATE };
            let pending = Pending { window: 1, ..state.pending().unwrap().unwrap() };
            assert!(until_late(&over, &pending).unwrap(), "nobody confirmed it");
            assert!(since.elapsed() >= Duration::from_secs(1), "clock set by {seconds} s");
        }
    }
}
