//! Having the host to oneself: one run at a time, by a lock that ends with its process. Who may wait for it is told who has it.

use super::guard::{Post, admit};
use super::job::Ended;
use crate::engine::Sink;
use crate::os::lock::{Holder, Lock};
use crate::state::Taken;
use model::{EventBody, Failure};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often somebody who waits tries again.
const AGAIN: Duration = Duration::from_millis(100);

/// How often somebody who waits is told that nothing has changed.
const REMIND: Duration = Duration::from_secs(30);

/// Who wants the host, and how.
pub(super) struct Turn<'a> {
    /// Where, and on which terms.
    pub post: &'a Post<'a>,
    /// Becomes true when nobody wants it any more.
    pub stop: &'a AtomicBool,
}

/// The host is ours until this is dropped.
pub(super) struct Held {
    lock: Lock,
    holder: Holder,
}

impl Held {
    /// The run has a number now; who waits, and who comes to watch, finds it by that.
    pub(super) fn begins(&self, run: u64) -> Result<(), Failure> {
        Ok(self.lock.tell(&Holder { run: run.to_string(), ..self.holder.clone() })?)
    }
}

impl Turn<'_> {
    /// Takes the host for oneself, for `command`.
    pub(super) fn take(&self, command: &str) -> Result<Held, Ended> {
        self.post.state.make()?;
        let (start, patience) = (Instant::now(), Duration::from_secs(self.post.terms.wait.unwrap_or(0)));
        let mut told: Option<(String, Instant)> = None;
        loop {
            let who = match self.attempt(command)? {
                Ok(held) => return Ok(held),
                Err(who) => who,
            };
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() || self.stop.load(Ordering::SeqCst) {
                return Err(Ended::Locked(who));
            }
            if told.as_ref().is_none_or(|(known, at)| *known != who || at.elapsed() >= REMIND) {
                let (what, left) = ("another run".to_owned(), left.as_secs());
                self.post.events.emit(EventBody::Waiting { what, who: who.clone(), left });
                told = Some((who, Instant::now()));
            }
            sleep(AGAIN.min(left));
        }
    }

    /// The host, or who has it.
    fn attempt(&self, command: &str) -> Result<Result<Held, String>, Failure> {
        let (pid, run, since) = (std::process::id(), String::new(), (self.post.clock)());
        let holder = Holder { pid, run, since, command: command.to_owned() };
        Ok(match self.post.state.lock(&holder)? {
            Taken::Ours(lock) => admit(self.post, lock)?.map(|lock| Held { lock, holder }),
            Taken::Theirs(who) => Err(who),
        })
    }
}
