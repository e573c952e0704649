//! What became of earlier runs: confirmed, undone, rolled back by another run. Read from what they and later ones left; nothing is written.

use super::StateDir;
use super::past::Read;
use model::{Aftermath, Failure, RunSummary, Status, Undone};
use std::collections::BTreeMap;

/// Which runs were rolled back by others. Takes the journals from the last one backwards.
#[derive(Debug, Default)]
struct Rollbacks {
    undone: BTreeMap<u64, Undone>,
}

impl Rollbacks {
    /// A rollback that was itself rolled back has brought nothing back in the end.
    fn take(&mut self, status: &Status) {
        let is_gone = self.undone.get(&status.run()).is_some_and(|undone| undone.whole);
        let Some(begin) = status.begin.as_ref().filter(|_| !is_gone) else { return };
        let Some(first) = begin.undoes else { return };
        let whole = status.end.as_ref().is_some_and(model::Report::is_converged);
        for run in first..=begin.through.unwrap_or(first).min(begin.run) {
            let known = self.undone.entry(run).or_insert(Undone { by: begin.run, whole });
            // An attempt that came to a good end counts more than a later one that did not.
            if whole && !known.whole {
                *known = Undone { by: begin.run, whole };
            }
        }
    }
}

impl StateDir {
    /// All runs, the last one first.
    ///
    /// # Errors
    /// Something of it cannot be read.
    pub fn history(&self) -> Result<Vec<RunSummary>, Failure> {
        let (mut runs, mut rollbacks) = (Vec::new(), Rollbacks::default());
        for run in self.numbers()?.into_iter().rev() {
            let (Read::Whole(status) | Read::Damaged(status, _)) = self.status(run)? else { continue };
            rollbacks.take(&status);
            let (done, reboots) = (status.done() as u64, status.resumed.len() as u64);
            if let Some(begin) = status.begin {
                let after = self.after(run, &rollbacks)?;
                runs.push(RunSummary { begin, done, reboots, end: status.end, after });
            }
        }
        Ok(runs)
    }

    /// What became of one run.
    ///
    /// # Errors
    /// Something of it cannot be read.
    pub fn aftermath(&self, run: u64) -> Result<Aftermath, Failure> {
        let mut rollbacks = Rollbacks::default();
        for later in self.numbers()?.into_iter().rev().take_while(|later| *later > run) {
            if let Read::Whole(status) | Read::Damaged(status, _) = self.status(later)? {
                rollbacks.take(&status);
            }
        }
        self.after(run, &rollbacks)
    }

    fn after(&self, run: u64, rollbacks: &Rollbacks) -> Result<Aftermath, Failure> {
        let settled = self.settled(run)?;
        let waits = settled.is_none() && self.pending()?.is_some_and(|pending| pending.run == run);
        Ok(Aftermath { waits, settled, undone: rollbacks.undone.get(&run).copied() })
    }
}

#[cfg(test)]
mod tests {
    use super::{Rollbacks, StateDir};
    use crate::state::FileLog;
    use model::{Aftermath, Begin, JOURNAL_VERSION, Report, Settled, Status, Undone};
    use std::collections::BTreeSet;

    /// A run that rolls back `undoes` and came to that end; not whole where it failed, or was cut off.
    fn rollback(run: u64, undoes: Option<(u64, u64)>, end: Option<u64>) -> Status {
        let (first, through) = (undoes.map(|it| it.0), undoes.map(|it| it.1));
        let begin = Begin { version: JOURNAL_VERSION, run, undoes: first, through, ..Begin::default() };
        let end = end.map(|failed| Report { failed, ..Report::default() });
        Status { begin: Some(begin), end, ..Status::default() }
    }

    #[test]
    fn the_rollback_that_counts_is_named() {
        let by = |by, whole| Some(Undone { by, whole });
        for (runs, first) in [
            (vec![rollback(2, None, Some(0))], None),
            (vec![rollback(2, Some((1, 1)), Some(0))], by(2, true)),
            (vec![rollback(2, Some((1, 1)), Some(1))], by(2, false)),
            (vec![rollback(2, Some((1, 1)), None), rollback(3, Some((1, 1)), Some(0))], by(3, true)),
            (vec![rollback(2, Some((1, 1)), Some(0)), rollback(3, Some((1, 1)), None)], by(2, true)),
            (vec![rollback(2, None, Some(0)), rollback(3, Some((1, 2)), Some(0))], by(3, true)),
            // The rollback was rolled back: what run 1 did is there again.
            (vec![rollback(2, Some((1, 1)), Some(0)), rollback(3, Some((2, 2)), Some(0))], None),
            (vec![rollback(2, Some((1, 1)), Some(0)), rollback(3, Some((2, 2)), Some(1))], by(2, true)),
        ] {
            let mut rollbacks = Rollbacks::default();
            runs.iter().rev().for_each(|status| rollbacks.take(status));
            assert_eq!(rollbacks.undone.get(&1).copied(), first, "{runs:?}");
        }
    }

    #[test]
    fn one_run_tells_the_same_as_the_history() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make().unwrap();
        for (run, undoes) in [(1, None), (2, Some(1)), (3, None)] {
            let begin = Begin { version: JOURNAL_VERSION, run, undoes, ..Begin::default() };
            let mut log = FileLog::begin(&state, begin, &BTreeSet::new()).unwrap();
            log.end(Report::default(), &BTreeSet::new()).unwrap();
        }
        let because = Settled::Reverted("nobody".to_owned());
        state.lock_pending("test").unwrap().settle(1, &because).unwrap();
        let undone = Some(Undone { by: 2, whole: true });
        let first = Aftermath { waits: false, settled: Some(because), undone };
        let all = state.history().unwrap();
        assert_eq!(all.iter().map(|run| run.begin.run).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!((&all[2].after, state.aftermath(1).unwrap()), (&first, first.clone()));
        assert!(all[0].after.is_nothing() && state.aftermath(2).unwrap().is_nothing());
    }
}
