//! Files that were being written below the state's root when their process died: never read again, and removed by a later run.

use super::StateDir;
use crate::os::Expect;
use crate::os::remove::remove;
use crate::os::safe_path::{self, Follow};
use model::Failure;
use std::ffi::OsStr;
use std::time::{Duration, SystemTime};

/// What nobody has written to for so long nobody writes any more: contents may be on their way without the run's lock.
const STALLED: Duration = Duration::from_secs(3600);

/// The last two runs are looked at each time, and all others once in so many runs: what is to go has been there for long anyway.
const ROUND: u64 = 8;

impl StateDir {
    /// Removes them.
    ///
    /// # Errors
    /// One could not be looked at or removed.
    pub fn remove_strays(&self, now: SystemTime) -> Result<(), Failure> {
        let blobs = self.root().join("blobs");
        let mut dirs = vec![self.root().to_owned(), blobs.join("sha256"), blobs.join("keyed")];
        dirs.push(self.root().join("debs"));
        let runs = self.numbers()?;
        let is_round = runs.last().is_some_and(|last| last.is_multiple_of(ROUND));
        let from = if is_round { 0 } else { runs.len().saturating_sub(2) };
        dirs.extend(runs[from..].iter().map(|run| self.run_dir(*run)));
        for dir in dirs {
            let names = safe_path::list(&dir, Follow::No)?.unwrap_or_else(Vec::new);
            for name in names.into_iter().filter(|name| is_temporary(name)) {
                let path = dir.join(name);
                let Some(meta) = safe_path::look(&path, Follow::No)? else { continue };
                let written = SystemTime::UNIX_EPOCH + Duration::from_secs(meta.mtime.max(0).unsigned_abs());
                // What was written in the future is of a clock that was wrong then or is now.
                if now.duration_since(written).is_ok_and(|age| age >= STALLED) {
                    remove(&path, Expect::Anything)?;
                }
            }
        }
        Ok(())
    }
}

/// `.NAME.<16 hex digits>`, as private files are written, and a journal that had no first record yet.
fn is_temporary(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let by_chance = name.strip_prefix('.').and_then(|name| name.rsplit_once('.'));
    let is_chance = |chance: &str| chance.len() == 16 && chance.bytes().all(|byte| byte.is_ascii_hexdigit());
    name == "journal.new" || by_chance.is_some_and(|(_, chance)| is_chance(chance))
}

#[expect(clippy::disallowed_methods, reason = "leaves strays in a scratch directory")]
#[cfg(test)]
mod tests {
    use super::ROUND;
    use crate::state::StateDir;
    use std::time::{Duration, SystemTime};

    #[test]
    fn what_was_being_written_goes_once_nobody_writes_it_any_more() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::new(scratch.path().join("state"));
        state.make().unwrap();
        state.make_run(1).unwrap();
        let run = state.run_dir(1);
        let strays = [
            state.root().join(".ledger.0123456789abcdef"),
            state.root().join("blobs/keyed/.ab.0123456789abcdef"),
            run.join(".closing.0123456789abcdef"),
            run.join("journal.new"),
        ];
        let kept = [state.root().join("ledger"), run.join("journal"), run.join(".notes"), run.join(".a.b")];
        strays.iter().chain(&kept).for_each(|path| std::fs::write(path, "x").unwrap());
        let now = SystemTime::now();
        for (age, left) in [(-9999_i64, 4), (1800, 4), (7200, 0)] {
            let then =
                if age < 0 { now - Duration::from_secs(9999) } else { now + Duration::from_secs(age as u64) };
            state.remove_strays(then).unwrap();
            let there = strays.iter().filter(|path| path.exists()).count();
            assert_eq!((there, kept.iter().all(|path| path.exists())), (left, true), "{age} s later");
        }
    }

    #[test]
    fn what_an_old_run_left_goes_at_a_round_number() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::new(scratch.path().join("state"));
        state.make().unwrap();
        let later = SystemTime::now() + Duration::from_secs(7200);
        let stray = |run: u64| state.run_dir(run).join("journal.new");
        for last in 1..=24 {
            state.make_run(last).unwrap();
            std::fs::write(stray(last), "x").unwrap();
            std::fs::write(stray(1), "x").unwrap();
            state.remove_strays(later).unwrap();
            assert_eq!(
                (stray(1).exists(), stray(last).exists()),
                (last > 2 && last % ROUND != 0, false),
                "{last}"
            );
        }
    }
}
