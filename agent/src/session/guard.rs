//! Confirm or revert, from the run's side: a run that could lock the controller out is watched over before its first op.
//!
//! Nothing is changed unguarded: what is to be unwound is on the disk, and the watcher has checked in, before `arm` returns.
//! `watch` is what the watcher does, `confirm` what calls it off.

use super::comeback::awaited;
use super::job::{Clock, Job, Rollback};
use crate::engine::Sink;
use crate::os::lock::{Attempt, Holder, Lock, try_lock};
use crate::state::{EventLog, Pending, Phase, StateDir};
use model::{EventBody, Failure, Stake};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use wire::Terms;

/// Starts what outlives this process. `session` knows nothing of service managers.
pub trait Sentry: Sync {
    /// Has a process watch over `run` from now on, again after a crash of its own, and at the next boot.
    ///
    /// # Errors
    /// It could not be started.
    fn post(&self, run: u64) -> Result<(), Failure>;

    /// Has the run that is about to take the machine down gone on with at the next boot.
    ///
    /// # Errors
    /// It could not come back.
    fn recall(&self) -> Result<Recall, Failure>;

    /// Nothing has to be started at the next boot any more, where nothing else needs that.
    ///
    /// # Errors
    /// It could not be called off.
    fn relieve(&self) -> Result<(), Failure>;
}

/// Whether a run that takes the machine down comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recall {
    /// At the next boot.
    AtBoot,
    /// No machine goes down: it goes on as it is.
    Never,
}

/// A sentry for where there is nobody to be locked out: a copy of the machine, or a test.
pub struct NoSentry;

impl Sentry for NoSentry {
    fn post(&self, _: u64) -> Result<(), Failure> {
        Err(Failure::refused("nothing watches over runs here", "apply without --confirm"))
    }

    fn recall(&self) -> Result<Recall, Failure> {
        Ok(Recall::Never)
    }

    fn relieve(&self) -> Result<(), Failure> {
        Ok(())
    }
}

/// How long the watcher may take to check in.
const MUSTER: Duration = Duration::from_secs(20);

/// How often it is looked for.
const AGAIN: Duration = Duration::from_millis(20);

/// Where the run that may have to be unwound takes place.
pub(super) struct Post<'a> {
    pub(super) state: &'a StateDir,
    pub(super) events: &'a EventLog<'a>,
    pub(super) sentry: &'a dyn Sentry,
    pub(super) clock: Clock<'a>,
    pub(super) terms: &'a Terms,
}

impl<'a> Post<'a> {
    /// That of a job.
    pub(super) fn of(job: &Job<'a>) -> Self {
        let Job { state, events, sentry, clock, terms, .. } = *job;
        Self { state, events, sentry, clock, terms }
    }

    /// That of a rollback.
    pub(super) fn of_rollback(rollback: &Rollback<'a>) -> Self {
        let Rollback { state, events, sentry, clock, terms, .. } = *rollback;
        Self { state, events, sentry, clock, terms }
    }

    /// Has `run` watched over, where there is a `stake`.
    ///
    /// # Errors
    /// It is not; then nothing may be changed.
    pub(super) fn arm(&self, run: u64, stake: Option<&Stake>) -> Result<(), Failure> {
        let Some(Stake { window, because }) = stake.cloned() else { return Ok(()) };
        let pending = Pending { run, window, because: because.clone(), phase: Phase::Armed };
        self.state.lock_pending("apply")?.put(&pending)?;
        let posted = self.sentry.post(run).and_then(|()| self.muster(run));
        if let Err(failure) = posted {
            self.state.lock_pending("apply")?.clear()?;
            self.sentry.relieve()?;
            return Err(failure);
        }
        self.events.emit(EventBody::Armed { run: run.to_string(), window, because });
        Ok(())
    }

    /// Waits until the watcher over `run` has checked in.
    fn muster(&self, run: u64) -> Result<(), Failure> {
        let since = Instant::now();
        while !is_watched(self.state, self.clock, run)? {
            if since.elapsed() > MUSTER {
                let what = "the process that watches over the run to check in".to_owned();
                return Err(Failure::Timeout { what, seconds: MUSTER.as_secs() });
            }
            std::thread::sleep(AGAIN);
        }
        Ok(())
    }
}

/// What the watcher over a run holds as long as it lives.
pub(super) fn post_lock(state: &StateDir) -> PathBuf {
    state.watch_lock()
}

fn is_watched(state: &StateDir, clock: Clock<'_>, run: u64) -> Result<bool, Failure> {
    Ok(match try_lock(&post_lock(state), &holder(run, clock))? {
        Attempt::Held(Ok(by)) => by.run == run.to_string(),
        // Who has just taken it has not yet written down who it is.
        Attempt::Taken(_) | Attempt::Held(Err(_)) => false,
    })
}

/// Who watches over `run`.
pub(super) fn holder(run: u64, clock: Clock<'_>) -> Holder {
    let command = "waiting for it to be confirmed".to_owned();
    Holder { pid: std::process::id(), run: run.to_string(), since: clock(), command }
}

/// Gives the lock back where a run is about to go on after a reboot, or waits to be confirmed, and says so: another one would change what it left. A watcher that is gone is
/// posted again, so that nobody waits for ever.
pub(super) fn admit(post: &Post<'_>, lock: Lock) -> Result<Result<Lock, String>, Failure> {
    if let Some(who) = awaited(post.state)? {
        return Ok(Err(who));
    }
    let Some(pending) = post.state.pending()? else { return Ok(Ok(lock)) };
    drop(lock);
    if !is_watched(post.state, post.clock, pending.run)? {
        post.sentry.post(pending.run).and_then(|()| post.muster(pending.run))?;
    }
    Ok(Err(format!("run {} waits to be confirmed, or is being undone", pending.run)))
}
