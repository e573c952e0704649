//! A host in memory with a state directory, and pieces of work on it that a fault may end.

use crate::corpus::Case;
use crate::shaky::{Shaky, When};
use agent::engine::{Choice, Faults, Locks};
use agent::failpoint::{self, Action, When as At};
use agent::session::{Answer, Done, Drift, Ended, Job, NoSentry, Rollback, apply, rollback};
use agent::state::{EventLog, Read, StateDir};
use agent::system::Layer;
use model::{Catalog, Event, EventBody, NodeStatus, Op, Report, Secrets, Status};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use wire::{NoBlobs, Terms, Which};

/// Failpoints are the whole process's: where tests share one, they take turns.
static ALONE: Mutex<()> = Mutex::new(());

const EIO: i32 = 5;
const EOPNOTSUPP: i32 = 95;

/// What befalls a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is dead before this record of its journal is written, counted from 1 after the beginning.
    NotWritten(u64),
    /// It is dead as soon as this record is durable.
    Written(u64),
    /// This op fails, counted from 1.
    Op(u64, When),
}

/// The host.
pub struct Lab {
    pub host: Layer<'static>,
    pub state: StateDir,
    _dir: tempfile::TempDir,
}

/// What a piece of work came to.
pub struct Ran {
    pub ended: Result<Report, Ended>,
    /// What changed the host, in order.
    pub executed: Vec<Op>,
    /// Why something failed.
    pub failures: Vec<String>,
    /// What the operator was told besides.
    pub notes: Vec<String>,
}

impl Ran {
    /// True where it came to a good end.
    pub fn is_fine(&self) -> bool {
        self.ended.as_ref().is_ok_and(Report::is_converged)
    }
}

impl Lab {
    /// The host of `case`, with what was applied before.
    pub fn of(case: &Case) -> Self {
        // Memory where there is some to write to: what is durable is another test's concern.
        let shm = Path::new("/dev/shm");
        let dir = tempfile::tempdir_in(if shm.is_dir() { shm } else { Path::new("/tmp") });
        let dir = dir.expect("a directory");
        let lab =
            Self { host: case.start.layer(), state: StateDir::new(dir.path().join("state")), _dir: dir };
        if let Some(before) = case.before() {
            let ran = lab.apply(&before, None);
            assert!(ran.is_fine(), "{}: before: {:?}", case.name, ran.ended);
        }
        lab
    }

    /// Applies `catalog`.
    pub fn apply(&self, catalog: &Catalog, fault: Option<Fault>) -> Ran {
        self.apply_on(&Terms::default(), catalog, fault)
    }

    /// Applies `catalog` on these terms.
    pub fn apply_on(&self, terms: &Terms, catalog: &Catalog, fault: Option<Fault>) -> Ran {
        let (secrets, stop) = (Secrets::default(), AtomicBool::new(false));
        self.work(fault, &|system, events| {
            let job = Job {
                catalog,
                secrets: &secrets,
                blobs: &NoBlobs,
                kinds: agent::kinds::LIVE,
                scope: "faults",
                choice: Choice { locks: Locks::honoured(), ..Choice::default() },
                system,
                state: &self.state,
                events,
                clock: &clock,
                command: "apply".to_owned(),
                terms,
                sentry: &NoSentry,
                stop: &stop,
                faults: Faults::default(),
            };
            apply(&job, &|_| Ok(Answer::Yes)).map(|Done { report, .. }| report)
        })
    }

    /// Rolls back `run`, or the last one.
    pub fn rollback(&self, run: Option<u64>, fault: Option<Fault>) -> Ran {
        self.back((run.map_or(Which::Last, Which::One), Drift::Refuse), fault)
    }

    /// Rolls back.
    pub fn back(&self, (which, drift): (Which, Drift), fault: Option<Fault>) -> Ran {
        let stop = AtomicBool::new(false);
        self.work(fault, &|system, events| {
            let terms = &Terms::default();
            let (state, sentry, clock, stop) = (&self.state, &NoSentry, &clock, &stop);
            let locks = Locks::default();
            let back = Rollback { which, drift, locks, terms, sentry, system, state, events, clock, stop };
            rollback(&back, &|_| Ok(Answer::Yes))
        })
    }

    fn work(
        &self,
        fault: Option<Fault>,
        work: &dyn Fn(&Shaky<'_>, &EventLog<'_>) -> Result<Report, Ended>,
    ) -> Ran {
        let _turn = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let fails = match fault {
            Some(Fault::Op(number, when)) => Some((number, when)),
            _ => None,
        };
        let system = Shaky::new(&self.host, fails);
        let (failures, notes) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let watcher = |event: &Event| match &event.body {
            EventBody::Node { id, because, status: NodeStatus::Failed, .. } => {
                failures.lock().expect("nobody panics here").push(format!("{id}: {because}"));
            }
            EventBody::Note { text } => notes.lock().expect("nobody panics here").push(text.clone()),
            _ => {}
        };
        let events = EventLog::new(&watcher, &clock);
        match fault {
            Some(Fault::NotWritten(record)) => dies("journal.append", record),
            Some(Fault::Written(record)) => dies("journal.appended", record),
            _ => {}
        }
        // As on a file system that sets no space aside: in memory that would cost more than all the rest.
        failpoint::set("journal.reserve", At::From(1), Action::Error(EOPNOTSUPP));
        let ended = work(&system, &events);
        failpoint::clear();
        let [failures, notes] =
            [failures, notes].map(|said| said.lock().expect("nobody panics here").clone());
        Ran { ended, executed: system.executed(), failures, notes }
    }

    /// What the journals of all runs amount to, the oldest first.
    pub fn runs(&self) -> Vec<Status> {
        let numbers = self.state.numbers().expect("the state is ours");
        let whole = |run: u64| match self.state.status(run).expect("it can be read") {
            Read::Whole(status) => Some(*status),
            Read::Nothing => None,
            Read::Damaged(_, why) => panic!("run {run}: {why}"),
        };
        numbers.into_iter().filter_map(whole).collect()
    }
}

/// From this record on the journal takes nothing: as far as anybody can tell later, the process was gone.
fn dies(point: &str, record: u64) {
    failpoint::set(point, At::From(record), Action::Error(EIO));
}

fn clock() -> String {
    "2026-01-01T00:00:00Z".to_owned()
}
