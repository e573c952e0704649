//! What earlier runs left: notifications that are owed, a run that was cut off, the history.

use super::StateDir;
use super::file_log::CLOSING;
use crate::journal::{Cause, Damage, read};
use crate::os::error::OsError;
use crate::os::safe_path::{self, Follow};
use model::{Failure, Op, Outcome, Owed, Record, Status};
use std::collections::BTreeSet;

/// What a new run has to know of the ones before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// Number of the next run.
    pub next: u64,
    /// Notifications that have not been answered.
    pub owed: BTreeSet<Owed>,
    /// The ops that the last run announced and did not settle, with their tags: they may have left temporary files.
    pub open: Vec<(String, Op)>,
    /// What the operator should know.
    pub notes: Vec<String>,
}

impl StateDir {
    /// What the last run left. Damage to its journal is told in the notes and never stops a run.
    pub fn past(&self) -> Result<Past, Failure> {
        let numbers = self.numbers()?;
        let Some(last) = numbers.last().copied() else { return Ok(Past { next: 1, ..Past::default() }) };
        let mut past = Past { next: last + 1, ..Past::default() };
        if let Some(owed) = self.closing(last)? {
            return Ok(Past { owed, ..past });
        }
        // A run whose directory was made and whose journal was not has changed nothing: the one before it counts.
        for run in numbers.into_iter().rev() {
            match self.status(run)? {
                Read::Nothing => {}
                Read::Whole(status) => {
                    past.take(&status);
                    break;
                }
                Read::Damaged(status, why) => {
                    past.notes.push(format!(
                        "the journal of run {run} is damaged: {why}; going on by what the host shows"
                    ));
                    past.take(&status);
                    // Where not even its beginning can be read, what it was owed stands in the journal before it.
                    if status.begin.is_some() {
                        break;
                    }
                }
            }
        }
        Ok(past)
    }

    /// What a run that ended by itself left owed; `None` where it did not, or where that cannot be read: its journal can.
    fn closing(&self, run: u64) -> Result<Option<BTreeSet<Owed>>, Failure> {
        match safe_path::read_file(&self.run_dir(run).join(CLOSING), Follow::No, 1 << 20) {
            Ok(found) => Ok(found.and_then(|(bytes, _)| serde_json::from_slice(&bytes).ok())),
            Err(OsError::TooLarge { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a run left the note that only one leaves whose journal has its end.
    fn said_its_end(&self, run: u64) -> Result<bool, Failure> {
        Ok(safe_path::look(&self.run_dir(run).join(CLOSING), Follow::No)?.is_some())
    }

    /// The records of a run, folded.
    pub fn status(&self, run: u64) -> Result<Read, Failure> {
        let Some(contents) = read::<Record>(&self.run_dir(run).join("journal"))? else {
            return Ok(Read::Nothing);
        };
        let mut status = Status::default();
        for record in contents.records {
            if let Err(misplaced) = status.next(record) {
                return Ok(Read::Damaged(Box::new(status), misplaced.to_string()));
            }
        }
        match contents.damage {
            // Nothing can follow the end.
            _ if status.end.is_some() => Ok(Read::Whole(Box::new(status))),
            // It wrote its end before it said so: what is missing here was lost.
            _ if self.said_its_end(run)? => {
                let why = "its end, which had been written, is missing".to_owned();
                Ok(Read::Damaged(Box::new(status), why))
            }
            // The last record of a run that was cut off is often half written: that is what a journal is for.
            Some(Damage { cause: Cause::CutOff | Cause::Zeros, .. }) if status.begin.is_some() => {
                Ok(Read::Whole(Box::new(status)))
            }
            Some(damage) => Ok(Read::Damaged(Box::new(status), damage.to_string())),
            None => Ok(Read::Whole(Box::new(status))),
        }
    }
}

/// What reading a journal gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// There is none.
    Nothing,
    /// All of it.
    Whole(Box<Status>),
    /// Some of it, and what is wrong with the rest.
    Damaged(Box<Status>, String),
}

impl Past {
    fn take(&mut self, status: &Status) {
        self.owed.clone_from(&status.owed);
        let run = status.run();
        for (seq, act) in status.acts.iter().filter(|(_, act)| act.outcome == Outcome::Open) {
            self.open.push((format!("{run}-{seq}"), act.op.clone()));
        }
        if status.end.is_none() && status.begin.is_some() {
            let at = status.begin.as_ref().map_or("", |begin| begin.at.as_str());
            self.notes.push(format!("run {run} of {at} was cut off; this run takes up what it left"));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "damages scratch files")]
#[cfg(test)]
mod tests {
    use super::{CLOSING, Owed, Read, StateDir};
    use crate::state::FileLog;
    use model::{Begin, Id, JOURNAL_VERSION, Report};
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    /// Two runs that ended, the second of which was owed something; its journal has three records.
    fn two_runs() -> (tempfile::TempDir, StateDir, BTreeSet<Owed>, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make().unwrap();
        let owed =
            BTreeSet::from([Owed { from: Id::new("file", "/a"), to: Id::new("service", "b"), answer: None }]);
        for run in 1..=2 {
            let begin = Begin { version: JOURNAL_VERSION, run, ..Begin::default() };
            let mut log = FileLog::begin(&state, begin, &owed).unwrap();
            log.end(Report::default(), &owed).unwrap();
        }
        let journal = state.run_dir(2).join("journal");
        (dir, state, owed, journal)
    }

    fn turn_byte(journal: &PathBuf, at: usize) {
        let mut bytes = std::fs::read(journal).unwrap();
        bytes[at] ^= 1;
        std::fs::write(journal, bytes).unwrap();
    }

    #[test]
    fn a_damaged_closing_file_is_made_up_for_by_the_journal() {
        let (_dir, state, owed, _) = two_runs();
        std::fs::write(state.run_dir(2).join(CLOSING), "[{").unwrap();
        assert_eq!(state.past().unwrap().owed, owed);
    }

    #[test]
    fn damage_at_the_beginning_leaves_what_the_run_before_owed() {
        let (_dir, state, owed, journal) = two_runs();
        std::fs::remove_file(state.run_dir(2).join(CLOSING)).unwrap();
        turn_byte(&journal, 9);
        let past = state.past().unwrap();
        assert_eq!((past.next, past.owed, past.notes.len()), (3, owed, 1));
    }

    #[test]
    fn damage_in_the_middle_is_told_and_at_the_end_is_a_run_cut_off() {
        let (_dir, state, _, journal) = two_runs();
        let bytes = std::fs::read(&journal).unwrap();
        let first = 8 + u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
        turn_byte(&journal, first + 9);
        assert!(matches!(state.status(2).unwrap(), Read::Damaged(..)));
        std::fs::write(&journal, &bytes).unwrap();
        turn_byte(&journal, bytes.len() - 1);
        assert!(matches!(state.status(2).unwrap(), Read::Damaged(..)), "its end was written once");
        std::fs::remove_file(state.run_dir(2).join(CLOSING)).unwrap();
        let Read::Whole(status) = state.status(2).unwrap() else { panic!("a cut off run is whole") };
        assert!(status.end.is_none() && status.owed.len() == 1);
    }

    #[test]
    fn a_run_without_a_journal_has_changed_nothing() {
        let (_dir, state, owed, _) = two_runs();
        state.make_run(3).unwrap();
        let past = state.past().unwrap();
        assert_eq!((past.next, past.owed, past.notes.len()), (4, owed, 0));
    }
}
