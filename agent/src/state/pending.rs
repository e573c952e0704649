//! The run that waits to be confirmed, and what became of it. Both are durable before anybody goes by them.
//!
//! `pending` in the state is there from before the first op of such a run until it is settled; whoever changes it holds `pending.lock`, so
//! that a run is either confirmed or unwound, and never both. What became of it stands in the run's own directory from then on.

use super::StateDir;
use super::dir::write_private;
use super::past::Read;
use super::summed::{summed, text_of};
use crate::os::Expect;
use crate::os::lock::{Attempt, Holder, Lock, lock_within};
use crate::os::remove::remove;
use crate::os::safe_path::{self, Follow};
use model::{Begin, Failure, Settled};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::Cursor;
use std::time::Duration;

/// Name of the file; `detached::boot_unit` goes by it as well.
const PENDING: &str = "pending";

/// Name of what says, in a run's directory, what became of it.
const SETTLED: &str = "settled";

/// Nobody holds the lock for longer than a few writes take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A run that is unwound unless it is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Which.
    pub run: u64,
    /// Within so many seconds after its end.
    pub window: u64,
    /// What it touches that is so delicate, a few words each.
    pub because: Vec<String>,
    /// How far it is.
    pub phase: Phase,
}

/// How far a run is that is unwound unless it is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It may be under way.
    Armed,
    /// It has ended, or died, and its time runs.
    Waiting,
    /// Its time is over: nobody can confirm it any more.
    Unwinding,
}

/// The right to change what waits.
#[derive(Debug)]
pub struct PendingGuard<'a> {
    state: &'a StateDir,
    _lock: Lock,
}

impl StateDir {
    /// The run that waits to be confirmed, if there is one.
    ///
    /// # Errors
    /// It cannot be read, or understood.
    pub fn pending(&self) -> Result<Option<Pending>, Failure> {
        let Some(bytes) = self.read(PENDING)? else { return Ok(None) };
        read(&bytes).map(Some).map_err(|error| {
            let path = self.root().join(PENDING);
            let why =
                format!("{} says which run waits to be confirmed, and is damaged: {error}", path.display());
            Failure::refused(why, "remove it, and what that run did stays")
        })
    }

    /// Which run waits to be confirmed, if one does. Where the note that says so is damaged it is the one whose journal says that it has to be:
    /// nobody is left with what nobody confirmed.
    ///
    /// # Errors
    /// It cannot be read; or it is damaged, and no journal makes up for it.
    pub fn awaited(&self) -> Result<Option<u64>, Failure> {
        match self.pending() {
            Err(damage @ Failure::Refused { .. }) => self.last_armed()?.map(Some).ok_or(damage),
            pending => Ok(pending?.map(|pending| pending.run)),
        }
    }

    /// The last run that has to be confirmed, where nothing came after it but its own undoing: nobody begins another one as long as it waits.
    fn last_armed(&self) -> Result<Option<u64>, Failure> {
        for run in self.numbers()?.into_iter().rev() {
            let begin = match self.status(run)? {
                Read::Nothing => continue,
                Read::Whole(status) | Read::Damaged(status, _) => status.begin,
            };
            match begin {
                Some(Begin { armed: Some(_), .. }) => return Ok(Some(run)),
                Some(Begin { undoes: Some(_), .. }) => {}
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// How long `run` waits to be confirmed after its end, in seconds, by its journal; `None` where that does not say it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn window(&self, run: u64) -> Result<Option<u64>, Failure> {
        Ok(match self.status(run)? {
            Read::Nothing => None,
            Read::Whole(status) | Read::Damaged(status, _) => status.begin.and_then(|begin| begin.armed),
        })
    }

    /// What became of a run that waited to be confirmed; `None` where it still waits, or never did.
    ///
    /// # Errors
    /// It cannot be read, or understood.
    pub fn settled(&self, run: u64) -> Result<Option<Settled>, Failure> {
        let path = self.run_dir(run).join(SETTLED);
        let Some((bytes, _)) = safe_path::read_file(&path, Follow::No, 1 << 20)? else { return Ok(None) };
        read(&bytes).map(Some).map_err(|error| Failure::unknown(path.display().to_string(), error))
    }

    /// The right to change what waits, for `command`; nobody else has it until it is dropped.
    ///
    /// # Errors
    /// It could not be had in half a minute, or the system's answer.
    pub fn lock_pending(&self, command: &str) -> Result<PendingGuard<'_>, Failure> {
        let holder = Holder {
            pid: std::process::id(),
            run: String::new(),
            since: String::new(),
            command: command.to_owned(),
        };
        match lock_within(&self.root().join("pending.lock"), &holder, PATIENCE)? {
            Attempt::Taken(lock) => Ok(PendingGuard { state: self, _lock: lock }),
            Attempt::Held(_) => Err(Failure::Timeout {
                what: "another process that confirms or unwinds the run".to_owned(),
                seconds: PATIENCE.as_secs(),
            }),
        }
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text_of(bytes)?).map_err(|error| error.to_string())
}

impl PendingGuard<'_> {
    /// Has a run wait; it does so, durably, when this returns.
    ///
    /// # Errors
    /// It could not be written.
    pub fn put(&self, pending: &Pending) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(pending)
            .map_err(|error| Failure::io("describe", "the run that waits", error))?;
        self.state.write(PENDING, &summed(bytes))
    }

    /// Writes down what became of a run; it counts from then on, also where the process ends before `clear`.
    ///
    /// # Errors
    /// It could not be written.
    pub fn settle(&self, run: u64, settled: &Settled) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(settled)
            .map_err(|error| Failure::io("describe", "what became of the run", error))?;
        write_private(&self.state.run_dir(run).join(SETTLED), &mut Cursor::new(summed(bytes)))
    }

    /// Nothing waits any more.
    ///
    /// # Errors
    /// It could not be removed.
    pub fn clear(&self) -> Result<(), Failure> {
        let path = self.state.root().join(PENDING);
        if safe_path::look(&path, Follow::No)?.is_some() {
            remove(&path, Expect::Anything)?;
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "damages scratch files")]
#[cfg(test)]
mod tests {
    use super::{Pending, Phase};
    use crate::state::{FileLog, StateDir};
    use model::{Begin, JOURNAL_VERSION, Settled};
    use std::collections::BTreeSet;

    #[test]
    fn what_waits_and_what_became_of_it_are_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make().unwrap();
        state.make_run(3).unwrap();
        assert_eq!((state.pending().unwrap(), state.settled(3).unwrap()), (None, None));
        let pending = Pending { run: 3, window: 60, because: vec!["x".into()], phase: Phase::Armed };
        let guard = state.lock_pending("test").unwrap();
        guard.put(&pending).unwrap();
        assert_eq!(state.pending().unwrap(), Some(pending));
        guard.settle(3, &Settled::Reverted("nobody".into())).unwrap();
        guard.clear().unwrap();
        guard.clear().unwrap();
        assert_eq!(state.pending().unwrap(), None);
        assert_eq!(state.settled(3).unwrap(), Some(Settled::Reverted("nobody".into())));
    }

    #[test]
    fn damage_is_told_and_never_taken_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make().unwrap();
        std::fs::write(state.root().join("pending"), "{").unwrap();
        assert!(state.pending().unwrap_err().to_string().contains("is damaged"));
    }

    #[test]
    fn where_the_note_is_damaged_the_journals_say_which_run_waits() {
        let begin =
            |run, armed, undoes| Begin { version: JOURNAL_VERSION, run, armed, undoes, ..Begin::default() };
        for (runs, awaited) in [
            (vec![], None),
            (vec![begin(1, None, None)], None),
            (vec![begin(1, Some(9), None)], Some(1)),
            (vec![begin(1, None, None), begin(2, Some(9), None), begin(3, None, Some(2))], Some(2)),
            (vec![begin(1, Some(9), None), begin(2, Some(5), Some(1))], Some(2)),
            (vec![begin(1, Some(9), None), begin(2, None, None)], None),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let state = StateDir::new(dir.path().join("state"));
            state.make().unwrap();
            for begin in &runs {
                drop(FileLog::begin(&state, begin.clone(), &BTreeSet::new()).unwrap());
            }
            assert_eq!(state.awaited().unwrap(), None, "there is no note");
            std::fs::write(state.root().join("pending"), "{").unwrap();
            let told = state.awaited();
            match awaited {
                Some(run) => assert_eq!(told.unwrap(), Some(run), "{runs:?}"),
                None => assert!(told.unwrap_err().to_string().contains("is damaged"), "{runs:?}"),
            }
        }
    }
}
