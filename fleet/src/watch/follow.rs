//! Goes on with a run whose connection was lost: connects anew and attaches at the first event that has not been seen, for as long as
//! it was said. The host is asked for nothing but what its run tells; who wants to leave is let go at any time.

use super::nap::Nap;
use crate::push::{End, Progress, Way};
use crate::talk::Task;
use crate::trouble::{Stage, Trouble};
use std::time::{Duration, Instant};
use wire::{Ending, SILENCE};

/// How long after a lost yes a host may still take it.
const UNDECIDED: Duration = Duration::from_secs(SILENCE.as_secs() + 15);

/// How the run ended that was lost as `lost` says.
pub(crate) fn follow(way: &Way<'_>, progress: &Progress<'_>, lost: Trouble) -> End {
    if limit(way, progress).is_zero() {
        return End::Trouble(lost);
    }
    progress.note(&announcement(way, progress, &lost));
    let mut search = Search { way, progress, since: Instant::now(), next: progress.seen().next };
    match search.run(lost) {
        Ok(end) => end,
        Err(trouble) => End::Trouble(trouble),
    }
}

struct Search<'a, 'p> {
    way: &'a Way<'a>,
    progress: &'a Progress<'p>,
    /// When the host was heard last.
    since: Instant,
    /// What was known of the run then.
    next: u64,
}

impl Search<'_, '_> {
    fn run(&mut self, lost: Trouble) -> Result<End, Trouble> {
        let mut nap = Nap::new(self.way.push.patience.nap);
        loop {
            self.progress.rest(nap.next())?;
            match self.attach() {
                Ok(end) => match self.judge(end) {
                    Some(end) => return Ok(end),
                    // A host that goes down ends whoever tells of the run.
                    None if self.progress.seen().run.is_some() && self.progress.seen().reboot.is_none() => {
                        return Err(self.given_up(lost));
                    }
                    None => {}
                },
                Err(trouble @ (Trouble::Detached { .. } | Trouble::Protocol { stage: Stage::Run, .. })) => {
                    return Err(trouble);
                }
                Err(trouble) if is_final(&trouble, self.progress) => {
                    return Err(self.progress.adrift(&trouble.to_string()));
                }
                Err(_) => {}
            }
            if self.progress.seen().next > self.next {
                (self.since, self.next) = (Instant::now(), self.progress.seen().next);
                nap.reset();
            }
            if self.since.elapsed() >= limit(self.way, self.progress) {
                return Err(self.given_up(lost));
            }
        }
    }

    /// As it was lost, with what has been learnt since.
    fn given_up(&self, lost: Trouble) -> Trouble {
        match lost {
            Trouble::Adrift { because, .. } => self.progress.adrift(&because),
            lost => lost,
        }
    }

    fn attach(&self) -> Result<End, Trouble> {
        // By a login: over a connection that was kept a host that goes down would answer to its last.
        let fresh = self.way.endpoint.fresh();
        match self.way.talk(&fresh, self.progress, Task::attach(self.progress)) {
            End::Trouble(trouble) => Err(trouble),
            end => Ok(end),
        }
    }

    /// The end, where it is that of the run.
    fn judge(&self, end: End) -> Option<End> {
        match end {
            End::Ended(Ending::Refused(failure)) => {
                self.progress.note(&format!("it cannot be attached to: {failure}"));
                None
            }
            _ if self.progress.is_unmatched() => None,
            end => Some(end),
        }
    }
}

/// How long is looked for it.
fn limit(way: &Way<'_>, progress: &Progress<'_>) -> Duration {
    let (patience, seen) = (&way.push.patience, progress.seen());
    match (seen.reboot, seen.run) {
        (Some(reboot), _) => reboot + patience.margin,
        (None, Some(_)) => patience.back,
        (None, None) => patience.back.min(UNDECIDED),
    }
}

/// Troubles that trying again does not help, or must not.
fn is_final(trouble: &Trouble, progress: &Progress<'_>) -> bool {
    match trouble {
        Trouble::Here(_) => true,
        // Where the run is undone unless it is confirmed, the right key may come back.
        Trouble::HostKey(_) => progress.seen().window.is_none() && progress.seen().reboot.is_none(),
        _ => false,
    }
}

fn announcement(way: &Way<'_>, progress: &Progress<'_>, lost: &Trouble) -> String {
    let (seconds, seen) = (limit(way, progress).as_secs(), progress.seen());
    match (seen.reboot, seen.run, lost) {
        (Some(_), Some(run), _) => {
            format!("it is down; run {run} goes on after that, and is waited for, {seconds} s at most")
        }
        (_, Some(run), Trouble::Crashed { status, stderr, .. }) => {
            let said = if stderr.is_empty() { String::new() } else { format!("; it said: {stderr}") };
            format!(
                "the agent ended before it was done ({status}){said}; looking what became of run {run}, for {seconds} s at most"
            )
        }
        (_, Some(run), Trouble::Adrift { because, .. }) => {
            format!(
                "the connection was lost ({because}); run {run} goes on there, and is attached to again, within {seconds} s"
            )
        }
        (_, None, lost) => format!("{lost}; looking whether it has, for {seconds} s at most"),
        (_, Some(_), lost) => lost.to_string(),
    }
}
