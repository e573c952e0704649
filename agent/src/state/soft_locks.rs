//! The locks that people put on a host, with a reason and an end. They are a word between people: whoever takes one away may do so, and
//! what unwinds a run does not ask for them.
//!
//! They end by the host's own clock. Where that was set back since, a lock goes on for as long as it was given at most: with a clock that is
//! further back nobody can tell what is left of it, and it has ended. So none outlasts twice its time, whatever the clock does.

use super::StateDir;
use super::summed::{summed, text_of};
use crate::os::lock::{Attempt, Holder, Lock, lock_within};
use jiff::{SignedDuration, Timestamp};
use model::{Failure, SoftLock};
use std::time::Duration;

/// Name of the file, in the host's state.
pub const LOCKS: &str = "locks";

/// Nobody holds the file for longer than a write takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// More are refused.
const MOST: usize = 1000;

impl StateDir {
    /// The locks that have not ended; `now` is RFC 3339 in UTC.
    ///
    /// # Errors
    /// They cannot be read: nobody can tell what is locked.
    pub fn soft_locks(&self, now: &str) -> Result<Vec<SoftLock>, Failure> {
        let Some(bytes) = self.read(LOCKS)? else { return Ok(Vec::new()) };
        let path = self.root().join(LOCKS);
        let damaged = |why: String| {
            let text = format!("{} says what is locked here, and is damaged: {why}", path.display());
            Failure::refused(text, "remove it, and nothing is locked any more")
        };
        let text = text_of(&bytes).map_err(|why| damaged(why.to_owned()))?;
        let all: Vec<SoftLock> = serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
        let mut lasting = Vec::new();
        for lock in all {
            if lasts(&lock, now).map_err(&damaged)? {
                lasting.push(lock);
            }
        }
        Ok(lasting)
    }

    /// Puts a lock; one of the same owner on the same part is replaced.
    ///
    /// # Errors
    /// It could not be written.
    pub fn put_soft_lock(&self, lock: SoftLock, now: &str) -> Result<(), Failure> {
        self.change(now, |locks| {
            locks.retain(|one| (&one.resource, &one.owner) != (&lock.resource, &lock.owner));
            locks.push(SoftLock { since: now.to_owned(), ..lock });
            match locks.len() {
                0..=MOST => Ok(()),
                _ => Err(Failure::refused(
                    format!("there are {MOST} locks already"),
                    "`keel unlock` takes them away",
                )),
            }
        })
    }

    /// Takes away the locks of a part, of everybody; of all parts where it is `None`.
    ///
    /// # Errors
    /// It could not be written, or the part has no lock.
    pub fn remove_soft_locks(&self, resource: Option<&str>, now: &str) -> Result<(), Failure> {
        self.change(now, |locks| {
            let before = locks.len();
            locks.retain(|one| resource.is_some() && one.resource.as_deref() != resource);
            if let (Some(resource), true) = (resource, locks.len() == before) {
                return Err(Failure::refused(
                    format!("there is no lock on {resource}"),
                    "`keel locks` lists them",
                ));
            }
            Ok(())
        })
    }

    fn change(
        &self,
        now: &str,
        change: impl FnOnce(&mut Vec<SoftLock>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.make()?;
        let _mine = self.take_locks_file(now)?;
        let mut locks = self.soft_locks(now)?;
        change(&mut locks)?;
        let bytes =
            serde_json::to_vec(&locks).map_err(|error| Failure::io("describe", "the locks", error))?;
        self.write(LOCKS, &summed(bytes))
    }

    /// Two who change the locks at once do so one after the other.
    fn take_locks_file(&self, now: &str) -> Result<Lock, Failure> {
        let (pid, command) = (std::process::id(), "changing the locks".to_owned());
        let holder = Holder { pid, run: String::new(), since: now.to_owned(), command };
        match lock_within(&self.root().join("locks.lock"), &holder, PATIENCE)? {
            Attempt::Taken(lock) => Ok(lock),
            Attempt::Held(_) => {
                let what = "another process that changes the locks".to_owned();
                Err(Failure::Timeout { what, seconds: PATIENCE.as_secs() })
            }
        }
    }
}

/// True where the lock has not ended; `now` is RFC 3339 in UTC.
///
/// # Errors
/// Nobody can tell, and why.
pub fn lasts(lock: &SoftLock, now: &str) -> Result<bool, String> {
    Ok(instant(now)?.duration_since(instant(&lock.since)?).abs() < length(lock))
}

/// When it ends by itself; `None` where that cannot be told.
pub fn end_of(lock: &SoftLock) -> Option<Timestamp> {
    instant(&lock.since).ok()?.checked_add(length(lock)).ok()
}

/// Why somebody may not change what is locked.
pub fn refusal(lock: &SoftLock) -> String {
    let until = end_of(lock).map_or_else(|| "an unknown time".to_owned(), |end| format!("{end:.0}"));
    format!("locked by {} until {until}: {}", lock.owner, lock.reason)
}

fn length(lock: &SoftLock) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(lock.seconds).unwrap_or(i64::MAX))
}

fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error| format!("{text} is no time: {error}"))
}

#[expect(clippy::disallowed_methods, reason = "damages scratch files")]
#[cfg(test)]
mod tests {
    use super::{LOCKS, refusal};
    use crate::state::StateDir;
    use model::SoftLock;

    fn lock(resource: Option<&str>, owner: &str) -> SoftLock {
        let (resource, since) = (resource.map(str::to_owned), String::new());
        SoftLock { resource, owner: owner.to_owned(), reason: "upgrade".to_owned(), since, seconds: 7200 }
    }

    fn scratch() -> (tempfile::TempDir, StateDir) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        (dir, state)
    }

    #[test]
    fn a_lock_ends_by_itself_whatever_the_clock_does() {
        let (_dir, state) = scratch();
        state.put_soft_lock(lock(None, "ann@laptop"), "2026-01-02T12:00:00Z").unwrap();
        for (now, lasts) in [
            ("2026-01-02T12:00:00Z", true),
            ("2026-01-02T13:59:59Z", true),
            ("2026-01-02T14:00:00Z", false),
            ("2026-01-03T12:00:00Z", false),
            // Set back: by a little, and by a day.
            ("2026-01-02T11:59:00Z", true),
            ("2026-01-02T10:00:00Z", false),
            ("2026-01-01T12:00:00Z", false),
        ] {
            assert_eq!(state.soft_locks(now).unwrap().len(), usize::from(lasts), "{now}");
        }
        let found = state.soft_locks("2026-01-02T12:00:00Z").unwrap();
        assert_eq!(refusal(&found[0]), "locked by ann@laptop until 2026-01-02T14:00:00Z: upgrade");
        let endless =
            SoftLock { seconds: u64::MAX, since: "2026-01-02T12:00:00Z".into(), ..lock(None, "ann") };
        assert_eq!(refusal(&endless), "locked by ann until an unknown time: upgrade");
    }

    #[test]
    fn each_owner_has_one_lock_on_each_part() {
        let (_dir, state) = scratch();
        let now = "2026-01-02T12:00:00Z";
        for (part, owner) in [(None, "ann"), (None, "bob"), (None, "ann"), (Some("file.*"), "ann")] {
            state.put_soft_lock(lock(part, owner), now).unwrap();
        }
        let parts = || state.soft_locks(now).unwrap().into_iter().map(|it| it.resource).collect::<Vec<_>>();
        assert_eq!(parts(), [None, None, Some("file.*".to_owned())]);
        assert!(state.remove_soft_locks(Some("user.*"), now).is_err());
        state.remove_soft_locks(Some("file.*"), now).unwrap();
        assert_eq!(parts(), [None, None]);
        state.remove_soft_locks(None, now).unwrap();
        assert!(parts().is_empty());
    }

    #[test]
    fn what_cannot_be_read_locks_everything() {
        let (_dir, state) = scratch();
        state.make().unwrap();
        for damaged in
            ["[{", "[{\"resource\":null,\"owner\":\"a\",\"reason\":\"b\",\"since\":\"x\",\"seconds\":1}]"]
        {
            std::fs::write(state.root().join(LOCKS), damaged).unwrap();
            let why = state.soft_locks("2026-01-02T12:00:00Z").unwrap_err().to_string();
            assert!(why.contains("says what is locked here, and is damaged"), "{why}");
        }
    }
}
