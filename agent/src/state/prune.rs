//! Forgetting old runs: their journals, their events, and the bytes that no kept journal names. First by count; days only ever
//! extend what is kept, and a clock that jumped forgets nothing.

use super::debs::Named;
use super::summed::{summed, text_of};
use super::{Read, StateDir};
use crate::os::Expect;
use crate::os::remove::{remove, remove_tree};
use crate::os::safe_path::{self, Follow};
use jiff::Timestamp;
use model::{Failure, Fingerprint, Outcome, PathState, Retention, State, Status, Subject};
use std::collections::BTreeSet;

/// So many runs are kept, and can be rolled back, unless something else was said.
const KEPT_RUNS: u64 = 50;

/// So many more may gather before any are forgotten: reading all journals has its price.
const SLACK: usize = 10;

/// So many of the last runs have to agree on what day it is.
const WITNESSES: usize = 10;

/// File of what was last said of keeping: who works on this host without saying anything goes by it.
const NAME: &str = "keep";

const DAY: u64 = 24 * 3600;

impl StateDir {
    /// Forgets what need not be kept, as `said` now, or else as it was said before.
    ///
    /// A journal that is damaged does not save older runs. It may have named any of the kept bytes, so that none of those
    /// go until it is itself forgotten.
    pub fn prune(&self, said: Retention) -> Result<(), Failure> {
        let keep = self.retention(said)?;
        let numbers = self.numbers()?;
        let runs = usize::try_from(keep.runs.unwrap_or(KEPT_RUNS)).unwrap_or(usize::MAX).max(1);
        let over = numbers.len().saturating_sub(runs);
        let over = if over > SLACK { self.too_old(&numbers, over, keep.days)? } else { 0 };
        if over <= SLACK {
            return Ok(());
        }
        let (old, kept) = numbers.split_at(over);
        let named = self.named(kept);
        for run in old {
            remove_tree(&self.run_dir(*run))?;
        }
        let Some((named, versions)) = named? else { return Ok(()) };
        self.sweep("sha256", &named)?;
        self.sweep("keyed", &named)?;
        self.store().sweep_debs(&versions)
    }

    /// What holds now; what was said is remembered.
    fn retention(&self, said: Retention) -> Result<Retention, Failure> {
        let known = match self.read(NAME)? {
            None => Retention::default(),
            Some(bytes) => match said_before(&bytes) {
                Ok(known) => known,
                // Who says all of it anew puts it right.
                Err(_) if said.runs.is_some() => Retention::default(),
                Err(why) => {
                    let path = self.root().join(NAME);
                    let why = format!("{} says how many to keep, and is damaged: {why}", path.display());
                    return Err(Failure::refused(why, "say keep_runs once more, or remove the file"));
                }
            },
        };
        let keep = Retention { runs: said.runs.or(known.runs), days: said.days.or(known.days) };
        if keep != known {
            let bytes = serde_json::to_vec(&keep).map_err(|error| Failure::io("describe", NAME, error))?;
            self.write(NAME, &summed(bytes))?;
        }
        Ok(keep)
    }

    /// How many of the first `most` runs lie before the first that `days` save.
    ///
    /// The time is what the last runs agree on, and a run is saved that lies within `days` of it to either side: the word of a
    /// clock that has just jumped makes nothing old.
    fn too_old(&self, numbers: &[u64], most: usize, days: Option<u64>) -> Result<usize, Failure> {
        let Some(days) = days else { return Ok(most) };
        let reach = i64::try_from(days.saturating_mul(DAY)).unwrap_or(i64::MAX);
        let mut last = Vec::new();
        for run in numbers.iter().rev().take(WITNESSES) {
            last.extend(self.begun(*run)?);
        }
        let (Some(first), Some(last)) = (last.iter().min(), last.iter().max()) else { return Ok(0) };
        let saved = first.saturating_sub(reach)..=last.saturating_add(reach);
        for (at, run) in numbers[..most].iter().enumerate() {
            if self.begun(*run)?.is_some_and(|begun| saved.contains(&begun)) {
                return Ok(at);
            }
        }
        Ok(most)
    }

    /// When a run began, in seconds since 1970; `None` where its journal does not tell.
    fn begun(&self, run: u64) -> Result<Option<i64>, Failure> {
        let (Read::Whole(status) | Read::Damaged(status, _)) = self.status(run)? else { return Ok(None) };
        Ok(status.begin.and_then(|begin| begin.at.parse::<Timestamp>().ok()).map(Timestamp::as_second))
    }

    /// The bytes and versions of packages that the journals of `runs` name; `None` where that cannot be told for one of them.
    fn named(&self, runs: &[u64]) -> Result<Option<(BTreeSet<Fingerprint>, Named)>, Failure> {
        let (mut named, mut versions) = (BTreeSet::new(), Named::new());
        for run in runs {
            match self.status(*run)? {
                Read::Whole(status) => {
                    named.extend(status.acts.values().filter_map(|act| act.packages));
                    named.extend(images(&status).filter_map(|(_, state)| of_state(state)));
                    versions.extend(images(&status).filter_map(version));
                }
                Read::Nothing => {}
                Read::Damaged(..) => return Ok(None),
            }
        }
        Ok(Some((named, versions)))
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

/// What was said before, or in words, what is wrong with the file of it.
fn said_before(bytes: &[u8]) -> Result<Retention, String> {
    serde_json::from_slice(text_of(bytes)?).map_err(|error| error.to_string())
}

fn file_name(fingerprint: &Fingerprint, sort: &str) -> Option<String> {
    match (fingerprint, sort) {
        (Fingerprint::Plain(digest), "sha256") | (Fingerprint::Keyed(digest), "keyed") => {
            Some(digest.to_string())
        }
        _ => None,
    }
}

/// The before-images of a run.
fn images(status: &Status) -> impl Iterator<Item = (&Subject, &State)> {
    status.acts.values().flat_map(|act| {
        let others = match &act.outcome {
            Outcome::Done(_, touched) | Outcome::Failed(_, touched) => touched.as_slice(),
            Outcome::Open => &[],
        };
        let named = act.before.iter().map(|(subject, before)| (subject, before));
        named.chain(others.iter().map(|(subject, before, _)| (subject, before)))
    })
}

fn version((subject, state): (&Subject, &State)) -> Option<(String, String)> {
    match (subject, state) {
        (Subject::Package(name), State::Package(Some(package))) => {
            Some((name.clone(), package.version.clone()?))
        }
        _ => None,
    }
}

fn of_state(state: &State) -> Option<Fingerprint> {
    match state {
        State::Path(PathState::File(file)) => Some(file.content),
        State::SecretSysctl(value) => Some(*value),
        State::User(Some(user)) => user.password,
        State::Group(Some(group)) => group.shadow.as_ref().map(|shadow| shadow.password),
        _ => None,
    }
}

#[expect(clippy::disallowed_methods, reason = "damages scratch files")]
#[cfg(test)]
mod tests {
    use super::{KEPT_RUNS, SLACK};
    use crate::state::{FileLog, StateDir};
    use crate::undo::{Keep, Secrecy};
    use model::{
        Begin, FileState, Fingerprint, HostPath, Op, PathState, Record, Report, Retention, State, Subject,
    };
    use std::collections::BTreeSet;

    /// More than this many runs are too many.
    const MANY: u64 = KEPT_RUNS + SLACK as u64;

    /// Runs 1 to `last`, each of which replaced one file, whose old bytes are the run's number. `at` is when each began.
    fn runs(last: u64, secrecy: Secrecy, at: impl Fn(u64) -> String) -> (tempfile::TempDir, StateDir) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        state.make().unwrap();
        for number in 1..=last {
            let begin = Begin { version: 1, run: number, at: at(number), ..Begin::default() };
            let content = state.store().keep(number.to_string().as_bytes(), secrecy).unwrap();
            let (size, uid, gid, mode) = (1, 0, 0, 0o644);
            let file = FileState { content, size, uid, gid, mode, xattrs: Default::default() };
            let path = HostPath::new("/etc/motd").unwrap();
            let before = vec![(Subject::Path(path.clone()), State::Path(PathState::File(file)))];
            let op = Box::new(Op::Remove { path });
            let mut log = FileLog::begin(&state, begin, &BTreeSet::new()).unwrap();
            crate::engine::Log::append(
                &mut log,
                Record::Intent { seq: 1, nodes: Vec::new(), op, before, packages: None },
            )
            .unwrap();
            log.end(Report::default(), &BTreeSet::new()).unwrap();
        }
        (dir, state)
    }

    fn day(number: u64) -> String {
        let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        (start + jiff::SignedDuration::from_hours(24 * i64::try_from(number).unwrap())).to_string()
    }

    fn first(state: &StateDir) -> u64 {
        state.numbers().unwrap()[0]
    }

    fn has(state: &StateDir, number: u64) -> bool {
        let digest = model::Digest::of(number.to_string().as_bytes());
        state.store().recall(&Fingerprint::Plain(digest)).is_ok()
    }

    const NOTHING: Retention = Retention { runs: None, days: None };

    #[test]
    fn old_runs_go_with_the_bytes_that_only_they_name() {
        for secrecy in [Secrecy::Open, Secrecy::Secret] {
            let (_dir, state) = runs(MANY + 1, secrecy, day);
            let bytes = |number: u64| {
                let name = state.store().fingerprint(number.to_string().as_bytes(), secrecy).unwrap();
                state.store().recall(&name).is_ok()
            };
            state.prune(Retention { runs: Some(KEPT_RUNS + 1), days: None }).unwrap();
            assert!(bytes(1), "a few more may gather");
            state.prune(Retention { runs: Some(KEPT_RUNS), days: None }).unwrap();
            assert_eq!(state.numbers().unwrap().len() as u64, KEPT_RUNS);
            assert!(!bytes(SLACK as u64 + 1) && bytes(SLACK as u64 + 2), "with the last run that names them");
        }
    }

    #[test]
    fn what_was_said_once_holds_for_who_says_nothing() {
        let (_dir, state) = runs(40, Secrecy::Open, day);
        state.prune(Retention { runs: Some(40), days: None }).unwrap();
        state.prune(NOTHING).unwrap();
        assert_eq!(first(&state), 1);
        state.prune(Retention { runs: Some(20), days: Some(30) }).unwrap();
        assert_eq!(first(&state), 1, "days extend what is kept, by the oldest of the last ten");
        state.prune(Retention { runs: None, days: Some(2) }).unwrap();
        assert_eq!(first(&state), 21, "days never shorten what is kept");
    }

    #[test]
    fn where_it_is_damaged_what_was_said_nothing_is_forgotten() {
        let (_dir, state) = runs(MANY + 1, Secrecy::Open, day);
        state.prune(Retention { runs: Some(MANY + 1), days: None }).unwrap();
        let path = state.root().join("keep");
        let whole = std::fs::read(&path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, bytes).unwrap();
            let why = state.prune(NOTHING).unwrap_err().to_string();
            assert!(why.contains("says how many to keep, and is damaged") && first(&state) == 1, "{why}");
        }
        state.prune(Retention { runs: Some(20), days: None }).unwrap();
        assert_eq!(first(&state), MANY - 18, "said anew");
        state.prune(NOTHING).unwrap();
    }

    #[test]
    fn a_clock_that_jumped_forgets_nothing_and_saves_nothing_for_ever() {
        let keep = Retention { runs: Some(5), days: Some(90) };
        let jumped =
            |from: u64, years: u64| move |run: u64| day(if run >= from { run + 366 * years } else { run });
        for (at, kept) in [
            (Box::new(day) as Box<dyn Fn(u64) -> String>, 1),
            (Box::new(jumped(26, 10)), 1),
            (Box::new(|run| if run == 26 { "1970-01-01T00:00:00Z".to_owned() } else { day(run) }), 1),
            (Box::new(|run| if run >= 18 { day(run - 1) } else { day(run) }), 1),
            // Ten runs agree that ten years have passed.
            (Box::new(jumped(17, 10)), 17),
            // What a wrong clock had said in the future saves nothing once ten runs know better.
            (Box::new(|run| if run < 15 { day(run + 3660) } else { day(run) }), 15),
            (Box::new(|_| "yesterday".to_owned()), 1),
        ] {
            let (_dir, state) = runs(26, Secrecy::Open, at);
            state.prune(keep).unwrap();
            assert_eq!(first(&state), kept);
        }
    }

    #[test]
    fn a_damaged_journal_saves_the_bytes_and_not_the_runs_before_it() {
        let (_dir, state) = runs(MANY + 1, Secrecy::Open, day);
        let journal = state.run_dir(MANY).join("journal");
        let whole = std::fs::read(&journal).unwrap();
        let mut damaged = whole.clone();
        damaged[12] ^= 1;
        std::fs::write(&journal, &damaged).unwrap();
        state.prune(NOTHING).unwrap();
        assert_eq!((first(&state), has(&state, 1)), (SLACK as u64 + 2, true));
        std::fs::write(&journal, &whole).unwrap();
        state.prune(Retention { runs: Some(20), days: None }).unwrap();
        assert!(!has(&state, 1) && has(&state, MANY), "nothing is held back for ever");
    }

    #[test]
    fn a_journal_that_cannot_be_read_is_told_and_saves_the_bytes() {
        let (_dir, state) = runs(MANY + 1, Secrecy::Open, day);
        let journal = state.run_dir(MANY).join("journal");
        std::fs::remove_file(&journal).unwrap();
        std::os::unix::fs::symlink("/dev/null", &journal).unwrap();
        assert!(state.prune(NOTHING).is_err(), "a journal that is no file");
        assert_eq!((first(&state), has(&state, 1)), (SLACK as u64 + 2, true));
    }
}
