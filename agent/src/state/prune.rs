//! Forgetting old runs: their journals, their events, and the bytes that no kept journal names. By count, never by the clock.

use super::{Read, StateDir};
use crate::os::Expect;
use crate::os::remove::{remove, remove_tree};
use crate::os::safe_path::{self, Follow};
use model::{Failure, Fingerprint, Outcome, PathState, State, Status};
use std::collections::BTreeSet;

/// How many runs are kept, and can be rolled back.
pub const KEPT_RUNS: usize = 50;

/// How many more may gather before the old ones are looked at: reading all journals has its price.
const SLACK: usize = 10;

impl StateDir {
    /// Forgets the runs before the last `keep`, where more than a few are there. Bytes go only where every kept journal
    /// could be read whole: what cannot be told is not thrown away.
    pub fn prune(&self, keep: usize) -> Result<(), Failure> {
        let numbers = self.numbers()?;
        let Some(cut) = numbers.len().checked_sub(keep).filter(|over| *over > SLACK) else { return Ok(()) };
        let (old, kept) = numbers.split_at(cut);
        let mut named = BTreeSet::new();
        for run in kept {
            match self.status(*run)? {
                Read::Whole(status) => named.extend(fingerprints(&status)),
                Read::Nothing => {}
                Read::Damaged(..) => return Ok(()),
            }
        }
        for run in old {
            remove_tree(&self.run_dir(*run))?;
        }
        self.sweep("sha256", &named)?;
        self.sweep("keyed", &named)
    }

    /// Removes the kept bytes of one sort that nobody names.
    fn sweep(&self, sort: &str, named: &BTreeSet<Fingerprint>) -> Result<(), Failure> {
        let dir = self.root().join("blobs").join(sort);
        let names: BTreeSet<String> = named.iter().filter_map(|it| file_name(it, sort)).collect();
        for name in safe_path::list(&dir, Follow::No)?.unwrap_or_else(Vec::new) {
            let is_named = name.to_str().is_some_and(|name| names.contains(name));
            if !is_named {
                remove(&dir.join(&name), Expect::Anything)?;
            }
        }
        Ok(())
    }
}

fn file_name(fingerprint: &Fingerprint, sort: &str) -> Option<String> {
    match (fingerprint, sort) {
        (Fingerprint::Plain(digest), "sha256") | (Fingerprint::Keyed(digest), "keyed") => {
            Some(digest.to_string())
        }
        _ => None,
    }
}

/// The bytes that the before-images of a run name.
fn fingerprints(status: &Status) -> BTreeSet<Fingerprint> {
    let mut named = BTreeSet::new();
    for act in status.acts.values() {
        named.extend(act.before.iter().filter_map(|(_, state)| of_state(state)));
        if let Outcome::Done(_, touched) | Outcome::Failed(_, touched) = &act.outcome {
            named.extend(touched.iter().filter_map(|(_, before, _)| of_state(before)));
        }
    }
    named
}

fn of_state(state: &State) -> Option<Fingerprint> {
    match state {
        State::Path(PathState::File(file)) => Some(file.content),
        State::User(Some(user)) => user.password,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT_RUNS, SLACK};
    use crate::state::{FileLog, StateDir};
    use crate::undo::{Keep, Secrecy};
    use model::{Begin, FileState, Fingerprint, HostPath, Op, PathState, Record, Report, State, Subject};
    use std::collections::BTreeSet;

    /// A run that replaced one file, whose old bytes are the run's number.
    fn run(state: &StateDir, number: u64) {
        let begin = Begin { version: 1, run: number, ..Begin::default() };
        let content = state.store().keep(number.to_string().as_bytes(), Secrecy::Open).unwrap();
        let (size, uid, gid, mode) = (1, 0, 0, 0o644);
        let file = FileState { content, size, uid, gid, mode, xattrs: Default::default() };
        let path = HostPath::new("/etc/motd").unwrap();
        let before = vec![(Subject::Path(path.clone()), State::Path(PathState::File(file)))];
        let op = Box::new(Op::Remove { path });
        let mut log = FileLog::begin(state, begin, &BTreeSet::new()).unwrap();
        crate::engine::Log::append(&mut log, Record::Intent { seq: 1, nodes: Vec::new(), op, before })
            .unwrap();
        log.end(Report::default(), &BTreeSet::new()).unwrap();
    }

    fn has(state: &StateDir, number: u64) -> bool {
        let digest = model::Digest::of(number.to_string().as_bytes());
        state.store().recall(&Fingerprint::Plain(digest)).is_ok()
    }

    #[test]
    fn old_runs_go_with_the_bytes_that_only_they_name() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        state.make().unwrap();
        let few = (KEPT_RUNS + SLACK) as u64;
        (1..=few).for_each(|number| run(&state, number));
        state.prune(KEPT_RUNS).unwrap();
        assert!(has(&state, 1), "a few more may gather");
        run(&state, few + 1);
        state.prune(KEPT_RUNS).unwrap();
        let kept = state.numbers().unwrap();
        assert_eq!((kept.len(), kept[0]), (KEPT_RUNS, SLACK as u64 + 2));
        assert!(
            !has(&state, kept[0] - 1) && has(&state, kept[0]),
            "bytes go with the last run that names them"
        );
    }

    #[test]
    fn nothing_is_thrown_away_where_a_journal_cannot_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        state.make().unwrap();
        let many = (KEPT_RUNS + SLACK) as u64 + 1;
        (1..=many).for_each(|number| run(&state, number));
        let journal = state.run_dir(many).join("journal");
        std::fs::remove_file(&journal).unwrap();
        std::os::unix::fs::symlink("/dev/null", &journal).unwrap();
        assert!(state.prune(KEPT_RUNS).is_err(), "a journal that is no file");
        assert!(has(&state, 1));
    }
}
