//! Shows a host that waits to be confirmed that it is still in reach: over a connection of its own, by the whole way that a user takes. Where
//! that does not come about within the host's window, the host undoes the run; that is waited for, and told.

use super::nap::Nap;
use crate::push::{End, Progress, Way};
use crate::talk::Task;
use crate::trouble::Trouble;
use std::time::{Duration, Instant};
use wire::Ending;

/// How the run ended, after all: `end` where it was confirmed, or did not have to be.
pub(crate) fn confirm(way: &Way<'_>, progress: &Progress<'_>, end: End) -> End {
    let seen = progress.seen();
    let (Some(run), Some(window)) = (seen.run, seen.window) else { return end };
    if !matches!(end, End::Ended(Ending::Changed | Ending::Unchanged | Ending::Failed)) {
        return end;
    }
    if progress.was_stopped() {
        progress.note(&format!(
            "run {run} was stopped, and is not confirmed: the host undoes it within {window} s; to keep what it did, `keel attach {run} {}`",
            progress.host
        ));
        return end;
    }
    let limit = Duration::from_secs(window) + way.push.patience.margin;
    let trial = Trial { way, progress, run, window, limit, since: Instant::now() };
    match trial.run() {
        Ok(Verdict::Stands) => end,
        Ok(Verdict::Undone) => End::Ended(Ending::Reverted),
        Ok(Verdict::Broken) => End::Ended(Ending::Failed),
        Err(trouble) => End::Trouble(trouble),
    }
}

enum Verdict {
    Stands,
    Undone,
    Broken,
}

struct Trial<'a, 'p> {
    way: &'a Way<'a>,
    progress: &'a Progress<'p>,
    run: u64,
    window: u64,
    limit: Duration,
    since: Instant,
}

impl Trial<'_, '_> {
    fn run(&self) -> Result<Verdict, Trouble> {
        let mut nap = Nap::new(self.way.push.patience.nap);
        let mut is_told = false;
        loop {
            let because = match self.ask()? {
                Ok(verdict) => return Ok(verdict),
                Err(because) => because,
            };
            if self.since.elapsed() >= self.limit {
                let host = self.progress.host.to_owned();
                return Err(Trouble::Unconfirmed { host, run: self.run, because });
            }
            if !is_told {
                self.progress.note(&format!(
                    "run {} cannot be confirmed over a fresh connection ({because}); unless that succeeds, the host undoes it {} s after its end",
                    self.run, self.window
                ));
                is_told = true;
            }
            self.progress.rest(nap.next())?;
        }
    }

    /// Confirms once; why it was not, where it was not.
    fn ask(&self) -> Result<Result<Verdict, String>, Trouble> {
        let fresh = self.way.endpoint.fresh();
        match self.way.talk(&fresh, self.progress, Task::Confirm(self.run)) {
            End::Ended(Ending::Unchanged | Ending::Changed) => Ok(Ok(Verdict::Stands)),
            End::Ended(Ending::Reverted) => Ok(Ok(Verdict::Undone)),
            // An event has said what of it could not be done.
            End::Ended(Ending::Failed) => Ok(Ok(Verdict::Broken)),
            End::Trouble(trouble @ Trouble::Detached { .. }) => Err(trouble),
            End::Trouble(trouble) => Ok(Err(trouble.to_string())),
            End::Refused(because) => Ok(Err(because)),
            // It is in reach, and does not take it: what became of the run its events say.
            End::Ended(ending) => {
                let because = match ending {
                    Ending::Refused(failure) => failure.to_string(),
                    ending => format!("the host answered `{ending:?}`"),
                };
                Ok(self.look().ok_or(because))
            }
        }
    }

    fn look(&self) -> Option<Verdict> {
        let fresh = self.way.endpoint.fresh();
        let end = self.way.talk(&fresh, self.progress, Task::attach(self.progress));
        match end {
            End::Ended(Ending::Reverted) => Some(Verdict::Undone),
            End::Ended(Ending::Changed | Ending::Unchanged | Ending::Failed)
                if self.progress.seen().window.is_none() =>
            {
                Some(Verdict::Stands)
            }
            _ => None,
        }
    }
}
