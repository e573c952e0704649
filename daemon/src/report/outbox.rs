//! Telling somebody away from this host, who may be slow or not there: what is to be told waits in a queue, and a thread of its own
//! carries it. Whoever tells never waits for a network. What is told may arrive twice, after a crash; it is never lost unsaid.

use super::queue::{Lost, Queue};
use super::{News, Reporter, Told};
use crate::status::Status;
use crate::watch::wait::Bell;
use agent::state::StateDir;
use model::Failure;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What became of one thing that was carried.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was taken.
    Taken,
    /// It will never be, and why: it is left behind.
    Refused(String),
    /// It may be later, and why not now; not before so long, where that was said.
    Later(String, Option<Duration>),
}

/// Who carries it.
pub trait Courier: Send + 'static {
    /// Carries one. It takes its time, and has an end.
    fn carry(&mut self, payload: &[u8]) -> Fate;
}

/// What is made of what the agent tells, for one receiver.
pub trait Letters {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// What is to be carried for this, in order.
    ///
    /// # Errors
    /// What is kept for it cannot be read or written.
    fn letters(&mut self, told: &Told, status: &Status) -> Result<Vec<Vec<u8>>, Failure>;

    /// What was made last waits in the queue by now: what is kept of it may say so.
    ///
    /// # Errors
    /// It could not be kept: it may be told twice.
    fn are_put(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// What the operator should know of what is kept.
    fn notes(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// What is to be carried about what was lost, where that is of any use there.
    fn lost(&self, lost: &Lost, host: &str, at: &str) -> Option<Vec<u8>>;
}

/// Not sooner again after a failure than this, twice as long each time …
const FIRST: Duration = Duration::from_secs(1);
/// … up to this.
const LAST: Duration = Duration::from_secs(300);
/// No receiver has us wait longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// A receiver away from this host.
pub struct Outbox<L> {
    letters: L,
    shared: Arc<Shared>,
}

struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    queue: Queue,
    trouble: Option<String>,
    notes: Vec<String>,
    over: bool,
}

impl<L: Letters> Outbox<L> {
    /// Begins to carry what waits already.
    ///
    /// # Errors
    /// What waits cannot be read, or there is no thread to be had.
    pub fn open(state: &StateDir, letters: L, courier: impl Courier, bell: Bell) -> Result<Self, Failure> {
        let queue = Queue::open(state, letters.name())?;
        let inner = Mutex::new(Inner { queue, trouble: None, notes: Vec::new(), over: false });
        let shared = Arc::new(Shared { inner, changed: Condvar::new() });
        let carrier = Carrier { shared: Arc::clone(&shared), courier, bell, wait: FIRST };
        let thread = std::thread::Builder::new().name(letters.name().to_owned());
        thread
            .spawn(move || carrier.run())
            .map_err(|error| Failure::io("start", "a thread for reports", error))?;
        Ok(Self { letters, shared })
    }
}

impl<L: Letters> Reporter for Outbox<L> {
    fn name(&self) -> &'static str {
        self.letters.name()
    }

    fn tell(&mut self, told: &Told, status: &Status) -> Result<(), Failure> {
        let mut letters = self.letters.letters(told, status)?;
        if letters.is_empty() {
            return Ok(());
        }
        let mut inner = self.shared.lock();
        // Told once there is somebody to be told it.
        let lost = inner.queue.lost().filter(|_| inner.trouble.is_none()).cloned();
        letters.splice(..0, lost.iter().filter_map(|lost| self.letters.lost(lost, &told.host, &told.at)));
        let put = letters.iter().try_for_each(|letter| inner.queue.put(&told.at, letter));
        // What is told twice is better than what is never told: it is forgotten when it waits, and where no more was lost by that.
        let put = match lost.filter(|lost| put.is_ok() && inner.queue.lost() == Some(lost)) {
            Some(lost) => {
                inner.notes.push(format!("{}: {}", self.letters.name(), lost.words()));
                inner.queue.forget_lost()
            }
            None => put,
        };
        drop(inner);
        self.shared.changed.notify_all();
        put?;
        self.letters.are_put()
    }

    fn news(&mut self) -> News {
        let mut inner = self.shared.lock();
        let waiting = inner.queue.len();
        let lost =
            inner.queue.lost().map(|lost| format!("; {} were dropped", lost.count)).unwrap_or_default();
        let trouble = inner.trouble.as_ref().map(|why| format!("{why}; {waiting} wait{lost}"));
        let mut notes = std::mem::take(&mut inner.notes);
        drop(inner);
        notes.extend(self.letters.notes());
        News { notes, trouble: Some(trouble) }
    }

    fn flush(&mut self, within: Duration) {
        let until = Instant::now() + within;
        let mut inner = self.shared.lock();
        while inner.queue.len() > 0 && inner.trouble.is_none() && Instant::now() < until {
            inner = self.shared.wait(inner, until.saturating_duration_since(Instant::now()));
        }
    }
}

impl<L> Drop for Outbox<L> {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, inner: MutexGuard<'a, Inner>, within: Duration) -> MutexGuard<'a, Inner> {
        self.changed.wait_timeout(inner, within).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The thread.
struct Carrier<C> {
    shared: Arc<Shared>,
    courier: C,
    bell: Bell,
    wait: Duration,
}

impl<C: Courier> Carrier<C> {
    fn run(mut self) {
        while let Some(letter) = self.next() {
            let fate = self.courier.carry(&letter.payload);
            let mut inner = self.shared.lock();
            let before = inner.trouble.clone();
            let (done, pause) = match fate {
                Fate::Taken => (true, None),
                Fate::Refused(why) => {
                    inner.notes.push(format!("a report was refused, and is not told again: {why}"));
                    (true, None)
                }
                Fate::Later(why, after) => {
                    inner.trouble = Some(why);
                    (false, Some(after.unwrap_or(self.wait).clamp(self.wait, LONGEST)))
                }
            };
            if done {
                self.wait = FIRST;
                // What stays is carried twice; that is said.
                inner.trouble = inner.queue.done(letter.number).err().map(|failure| failure.to_string());
            }
            if inner.trouble != before || !inner.notes.is_empty() {
                self.bell.ring();
            }
            self.shared.changed.notify_all();
            let pause = pause.or_else(|| inner.trouble.is_some().then_some(self.wait));
            if let Some(pause) = pause {
                self.wait = (self.wait * 2).min(LAST);
                let until = Instant::now() + pause;
                while !inner.over && Instant::now() < until {
                    inner = self.shared.wait(inner, until.saturating_duration_since(Instant::now()));
                }
            }
        }
    }

    /// The next one; waits for it. `None` where nobody wants any more.
    fn next(&self) -> Option<super::queue::Letter> {
        let mut inner = self.shared.lock();
        loop {
            if inner.over {
                return None;
            }
            match inner.queue.first() {
                Ok(Some(letter)) => return Some(letter),
                Ok(None) => {
                    inner = self.shared.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
                }
                Err(failure) => {
                    inner.trouble = Some(failure.to_string());
                    self.bell.ring();
                    inner = self.shared.wait(inner, LAST);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Courier, Fate, Letters, Outbox};
    use crate::report::queue::Lost;
    use crate::report::{Reporter, Told, What};
    use crate::status::Status;
    use crate::watch::wait::Bell;
    use agent::state::StateDir;
    use model::Failure;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    struct Words;

    impl Letters for Words {
        fn name(&self) -> &'static str {
            "words"
        }

        fn letters(&mut self, told: &Told, _: &Status) -> Result<Vec<Vec<u8>>, Failure> {
            Ok(vec![told.at.clone().into_bytes()])
        }

        fn lost(&self, lost: &Lost, _: &str, _: &str) -> Option<Vec<u8>> {
            Some(format!("lost {}", lost.count).into_bytes())
        }
    }

    /// Answers as it is told to, and tells what it was given.
    struct Scripted(Receiver<Fate>, Sender<String>);

    impl Courier for Scripted {
        fn carry(&mut self, payload: &[u8]) -> Fate {
            self.1.send(String::from_utf8_lossy(payload).into_owned()).unwrap();
            self.0.recv().unwrap_or(Fate::Taken)
        }
    }

    fn outbox(state: &StateDir) -> (Outbox<Words>, Sender<Fate>, Receiver<String>) {
        let ((say, said), (heard, hear)) = (channel(), channel());
        (Outbox::open(state, Words, Scripted(said, heard), Bell::silent()).unwrap(), say, hear)
    }

    fn told(at: &str) -> Told {
        Told { at: at.to_owned(), host: "h".into(), catalog: None, what: What::Stopped }
    }

    #[test]
    fn what_is_not_taken_is_carried_again_and_outlives_the_thread() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        let (mut outbox, say, hear) = self::outbox(&state);
        for at in ["a", "b"] {
            outbox.tell(&told(at), &Status::default()).unwrap();
        }
        assert_eq!(hear.recv().unwrap(), "a");
        say.send(Fate::Later("away".into(), None)).unwrap();
        assert_eq!(hear.recv_timeout(Duration::from_secs(20)).unwrap(), "a");
        assert_eq!(outbox.news().trouble.flatten().unwrap(), "away; 2 wait");
        say.send(Fate::Refused("no good".into())).unwrap();
        assert_eq!(hear.recv().unwrap(), "b");
        assert_eq!(outbox.news().notes, ["a report was refused, and is not told again: no good"]);
        drop(outbox);
        say.send(Fate::Later("over".into(), None)).unwrap();
        let (mut again, _say, hear) = self::outbox(&state);
        assert_eq!(hear.recv_timeout(Duration::from_secs(20)).unwrap(), "b");
        drop(_say);
        again.flush(Duration::from_secs(20));
        assert_eq!(std::fs::read_dir(state.root().join("agent/words")).unwrap().count(), 0);
    }

    #[test]
    fn what_was_lost_is_known_until_it_waits_to_be_told() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        let lost = Lost { count: 3, from: "t0".into(), to: "t2".into(), is_more: false };
        state.make_folder("agent").unwrap();
        state.make_folder("agent/words").unwrap();
        state.write("agent/words/lost", &serde_json::to_vec(&lost).unwrap()).unwrap();
        let (mut outbox, _say, hear) = self::outbox(&state);
        assert!(
            outbox.tell(&told(&"x".repeat(2 << 20)), &Status::default()).is_err(),
            "it is too large to wait"
        );
        assert!(state.read("agent/words/lost").unwrap().is_some());
        outbox.tell(&told("a"), &Status::default()).unwrap();
        assert_eq!(hear.recv_timeout(Duration::from_secs(20)).unwrap(), "lost 3");
        assert_eq!(state.read("agent/words/lost").unwrap(), None);
    }
}
