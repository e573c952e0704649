//! What people have locked on the host, as the agent knows of it: when that ends by itself. Whom it keeps off the host each look finds out anew.

use crate::schedule::whole_seconds;
use agent::state::{StateDir, end_of, lasts};
use model::SoftLock;

/// The locks that stood there when they were read last.
#[derive(Debug, Default)]
pub(crate) struct Locked(Vec<SoftLock>);

impl Locked {
    /// Reads them. Where they cannot be read each look says so, until they are written anew.
    pub(crate) fn read(&mut self, state: &StateDir, now: &str) {
        self.0 = state.soft_locks(now).unwrap_or_default();
    }

    /// By when the first of them has ended, in seconds since 1970.
    pub(crate) fn until(&self) -> Option<u64> {
        self.0.iter().filter_map(end_of).map(whole_seconds).min()
    }

    /// True where one has ended since, also by a clock that was set.
    pub(crate) fn has_ended(&self, now: &str) -> bool {
        self.0.iter().any(|lock| lasts(lock, now) != Ok(true))
    }
}

#[cfg(test)]
mod tests {
    use super::Locked;
    use agent::state::StateDir;
    use model::SoftLock;

    #[test]
    fn who_wakes_by_the_end_of_a_lock_finds_it_ended() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        let (now, end) = ("2026-01-02T12:00:00.844Z", 1_767_355_261);
        let mut locked = Locked::default();
        locked.read(&state, now);
        assert_eq!((locked.until(), locked.has_ended(now)), (None, false));
        for (owner, seconds) in [("ann", 60), ("bob", 3600)] {
            let (resource, reason) = (None, "a try".to_owned());
            let lock = SoftLock { resource, owner: owner.into(), reason, since: String::new(), seconds };
            state.put_soft_lock(lock, now).unwrap();
        }
        locked.read(&state, now);
        assert_eq!((locked.until(), locked.has_ended(now)), (Some(end), false), "not a moment too early");
        assert!(!locked.has_ended("2026-01-02T12:01:00.843Z") && locked.has_ended("2026-01-02T12:01:01Z"));
        assert!(locked.has_ended("2026-01-01T12:00:00Z"), "the clock was set back");
        locked.read(&state, "2026-01-02T12:01:01Z");
        assert_eq!(locked.until(), Some(end - 60 + 3600), "the next one");
    }
}
