//! Asking a place of bundles beside what the agent does: a place may be slow, or silent, and a host is kept even meanwhile. What came of it is
//! read by whoever hears the bell.

use agent::os::child::{Child, Output};
use daemon::Bell;
use model::Failure;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An answer that nobody took for so long, as in a pause, may be no answer any more.
const OLD: Duration = Duration::from_secs(60);

/// How long a child that nobody wants any more may take to end.
const PARTING: Duration = Duration::from_secs(2);

/// What the child said that was sent to ask.
pub type Answer = Result<Output, Failure>;

/// Who asks: once at a time.
pub struct Asker {
    bell: Arc<Bell>,
    inner: Arc<Mutex<Inner>>,
    /// Nobody wants to know any more.
    given_up: Arc<AtomicBool>,
}

#[derive(Default)]
struct Inner {
    stage: Stage,
    /// Somebody wanted to ask while it was under way: what was told then may be old.
    again: bool,
}

#[derive(Default)]
enum Stage {
    #[default]
    Idle,
    UnderWay,
    Answered(Box<(Answer, Instant)>),
}

impl Asker {
    /// Rings this one.
    pub fn new(bell: Arc<Bell>) -> Self {
        Self { bell, inner: Arc::default(), given_up: Arc::default() }
    }

    /// Sends the child, unless one is under way: then another is to follow. False where an answer is there, to be taken first.
    pub fn ask(&self, mut child: Child) -> bool {
        child.given_up = Some(Arc::clone(&self.given_up));
        let mut inner = lock(&self.inner);
        match inner.stage {
            Stage::Answered(..) => return false,
            Stage::UnderWay => inner.again = true,
            Stage::Idle => {
                inner.stage = Stage::UnderWay;
                let (bell, answered) = (Arc::clone(&self.bell), Arc::clone(&self.inner));
                let thread = std::thread::Builder::new().name("asks".to_owned()).spawn(move || {
                    let answer = child.run_tied();
                    lock(&answered).stage = Stage::Answered(Box::new((answer, Instant::now())));
                    bell.ring();
                });
                if let Err(error) = thread {
                    let failure = Failure::io("start", "a thread that asks", error);
                    inner.stage = Stage::Answered(Box::new((Err(failure), Instant::now())));
                    return false;
                }
            }
        }
        true
    }

    /// True where there is an answer.
    pub fn has_answer(&self) -> bool {
        matches!(lock(&self.inner).stage, Stage::Answered(..))
    }

    /// The answer, and whether it is to be asked again; `None` where there is none yet.
    pub fn take(&self) -> Option<(Answer, bool)> {
        let mut inner = lock(&self.inner);
        match std::mem::take(&mut inner.stage) {
            Stage::Answered(answered) => {
                let (answer, at) = *answered;
                let again = std::mem::take(&mut inner.again) || at.elapsed() > OLD;
                Some((answer, again))
            }
            before => {
                inner.stage = before;
                None
            }
        }
    }
}

/// Who ends leaves nobody behind: systemd would wait for them.
impl Drop for Asker {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
        let until = Instant::now() + PARTING;
        while matches!(lock(&self.inner).stage, Stage::UnderWay) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::Asker;
    use agent::os::child::Child;
    use daemon::Bell;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    /// Somebody who says this after so many seconds.
    fn says(words: &str, seconds: u32) -> Child {
        Child::new(["sh", "-c", &format!("sleep {seconds}; echo {words}")])
    }

    fn answered(asker: &Asker) -> (String, bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !asker.has_answer() {
            assert!(Instant::now() < end, "no answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        let (answer, again) = asker.take().expect("it is there");
        (answer.expect("it ran").text().expect("it is text"), again)
    }

    #[test]
    fn nobody_waits_for_an_answer_and_none_is_lost() {
        let asker = Asker::new(Arc::new(Bell::silent()));
        assert!(asker.take().is_none() && !asker.has_answer());
        let began = Instant::now();
        assert!(asker.ask(says("one", 2)) && asker.ask(says("two", 2)), "under way");
        assert!(began.elapsed() < Duration::from_secs(2) && asker.take().is_none());
        assert_eq!(answered(&asker), ("one\n".to_owned(), true), "somebody asked meanwhile");
        assert!(asker.ask(says("three", 0)));
        assert_eq!(answered(&asker), ("three\n".to_owned(), false));
    }

    #[test]
    fn who_ends_leaves_nobody_behind() {
        let dir = tempfile::tempdir().expect("a directory");
        let asker = Asker::new(Arc::new(Bell::silent()));
        let pid = dir.path().join("pid");
        asker.ask(Child::new(["sh", "-c", &format!("echo $$ >{}; exec sleep 60", pid.display())]));
        let number = loop {
            match std::fs::read_to_string(&pid) {
                Ok(text) if text.ends_with('\n') => break text,
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        drop(asker);
        assert!(!std::path::Path::new("/proc").join(number.trim()).exists());
    }

    #[test]
    fn an_answer_is_taken_before_anybody_asks_again() {
        let asker = Asker::new(Arc::new(Bell::silent()));
        assert!(asker.ask(says("one", 0)));
        while !asker.has_answer() {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!asker.ask(says("two", 0)));
        assert_eq!(answered(&asker), ("one\n".to_owned(), false));
    }
}
