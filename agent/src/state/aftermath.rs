//! What became of earlier runs: confirmed, undone, rolled back by another run. Read from what they and later ones left; nothing is written.

use super::StateDir;
use super::past::Read;
use model::{Aftermath, Begin, Failure, RunSummary, Status, Undone};
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
    /// All runs, the last one first. What of one cannot be told is said with it, and the others are told all the same.
    ///
    /// # Errors
    /// They cannot be listed.
    pub fn history(&self) -> Result<Vec<RunSummary>, Failure> {
        let (mut runs, mut rollbacks, waits) = (Vec::new(), Rollbacks::default(), self.waits()?);
        for run in self.numbers()?.into_iter().rev() {
            let (status, damage) = match self.status(run) {
                Ok(Read::Nothing) => continue,
                // It was killed before it began.
                Ok(Read::Whole(status)) if status.begin.is_none() => continue,
                Ok(Read::Whole(status)) => (*status, None),
                Ok(Read::Damaged(status, why)) => {
                    (*status, Some(format!("the journal of run {run} is damaged after this: {why}")))
                }
                Err(failure) => (Status::default(), Some(failure.to_string())),
            };
            rollbacks.take(&status);
            let (done, reboots) = (status.done() as u64, status.resumed.len() as u64);
            let begin = status.begin.unwrap_or(Begin { run, ..Begin::default() });
            let after = self.after(run, &rollbacks, &waits);
            runs.push(RunSummary { begin, done, reboots, end: status.end, damage, after });
        }
        Ok(runs)
    }

    /// What became of one run.
    ///
    /// # Errors
    /// The runs after it cannot be read.
    pub fn aftermath(&self, run: u64) -> Result<Aftermath, Failure> {
        let mut rollbacks = Rollbacks::default();
        for later in self.numbers()?.into_iter().rev().take_while(|later| *later > run) {
            if let Read::Whole(status) | Read::Damaged(status, _) = self.status(later)? {
                rollbacks.take(&status);
            }
        }
        Ok(self.after(run, &rollbacks, &self.waits()?))
    }

    fn after(&self, run: u64, rollbacks: &Rollbacks, waits: &Waits) -> Aftermath {
        let undone = rollbacks.undone.get(&run).copied();
        let (settled, mut unclear) = match self.settled(run) {
            Ok(settled) => (settled, None),
            Err(failure) => (None, Some(failure.to_string())),
        };
        let mut is_waiting = false;
        if let (None, None) = (&settled, &unclear) {
            match waits {
                Waits::Run(waiting) => is_waiting = *waiting == Some(run),
                Waits::Unclear { last, why } => unclear = (*last == Some(run)).then(|| why.clone()),
            }
        }
        Aftermath { waits: is_waiting, settled, undone, unclear }
    }

    fn waits(&self) -> Result<Waits, Failure> {
        Ok(match self.awaited() {
            Ok(run) => Waits::Run(run),
            Err(failure) => {
                Waits::Unclear { last: self.numbers()?.last().copied(), why: failure.to_string() }
            }
        })
    }
}

/// Which run waits to be confirmed.
enum Waits {
    /// This one, or none.
    Run(Option<u64>),
    /// That cannot be told; it could be none but the last one.
    Unclear { last: Option<u64>, why: String },
}

#[expect(clippy::disallowed_methods, reason = "damages scratch files")]
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
        let first = Aftermath { settled: Some(because), undone, ..Aftermath::default() };
        let all = state.history().unwrap();
        assert_eq!(all.iter().map(|run| run.begin.run).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!((&all[2].after, state.aftermath(1).unwrap()), (&first, first.clone()));
        assert!(all[0].after.is_nothing() && state.aftermath(2).unwrap().is_nothing());
    }

    #[test]
    fn what_cannot_be_told_of_one_run_keeps_nobody_from_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make().unwrap();
        for run in 1..=4 {
            let begin = Begin { version: JOURNAL_VERSION, run, ..Begin::default() };
            let mut log = FileLog::begin(&state, begin, &BTreeSet::new()).unwrap();
            log.end(Report::default(), &BTreeSet::new()).unwrap();
        }
        std::fs::write(state.run_dir(1).join("settled"), "{").unwrap();
        std::fs::write(state.run_dir(3).join("journal"), "nonsense").unwrap();
        std::fs::write(state.root().join("pending"), "{").unwrap();
        let all = state.history().unwrap();
        let runs: Vec<_> = all.iter().map(|run| (run.begin.run, run.is_whole())).collect();
        assert_eq!(runs, [(4, false), (3, false), (2, true), (1, false)]);
        let (last, third, first) = (&all[0].after.unclear, &all[1].damage, &all[3].after.unclear);
        assert!(last.as_ref().is_some_and(|why| why.contains("pending says which run")), "{last:?}");
        assert!(third.as_ref().is_some_and(|why| why.contains("journal of run 3 is damaged")), "{third:?}");
        assert!(first.as_ref().is_some_and(|why| why.contains("000001/settled")), "{first:?}");
        assert_eq!(state.aftermath(1).unwrap(), all[3].after);
    }
}
