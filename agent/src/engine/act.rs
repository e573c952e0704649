//! Executes one op: before-image, intent, act, after-image, done. What the journal holds is always ahead of the host.

use super::log::Log;
use crate::journal::record::Record;
use crate::system::{Attempt, Package, System, Touched};
use crate::undo::{Keep, capture, secrecy, subjects};
use model::{Failure, Id, Op, Owed, PackageState, State, Subject};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How an op ended.
pub(super) enum Ended {
    /// The op failed; the run goes on elsewhere.
    Failed(Failure),
    /// The journal cannot be written any more: nothing further may be done.
    Dead(Failure),
}

impl Ended {
    /// The failure, whichever it is.
    pub(super) fn failure(self) -> Failure {
        match self {
            Self::Failed(failure) | Self::Dead(failure) => failure,
        }
    }
}

/// The engine's only way to change the host.
pub(super) struct Actor<'a> {
    host: &'a dyn System,
    keep: &'a dyn Keep,
    run: u64,
    state: Mutex<Journalled<'a>>,
}

struct Journalled<'a> {
    log: &'a mut dyn Log,
    seq: u64,
    owed: BTreeSet<Owed>,
    dead: Option<Failure>,
}

impl<'a> Actor<'a> {
    /// `owed` is what the journal begins with.
    pub(super) fn new(
        (host, keep): (&'a dyn System, &'a dyn Keep),
        log: &'a mut dyn Log,
        run: u64,
        owed: BTreeSet<Owed>,
    ) -> Self {
        let state = Mutex::new(Journalled { log, seq: 0, owed, dead: None });
        Self { host, keep, run, state }
    }

    pub(super) fn host(&self) -> &'a dyn System {
        self.host
    }

    /// Why nothing more may be done, if so.
    pub(super) fn death(&self) -> Option<Failure> {
        self.state().dead.clone()
    }

    /// True where somebody who changed waits for `node` to be refreshed.
    pub(super) fn is_owed(&self, node: &Id) -> bool {
        self.state().owed.iter().any(|owed| owed.to == *node)
    }

    /// Writes down that `to` will have to be refreshed, before the change that causes it.
    pub(super) fn owe(&self, owed: Owed) -> Result<(), Ended> {
        let mut state = self.state();
        if state.owed.contains(&owed) {
            return Ok(());
        }
        state.append(Record::Owed(owed.clone()))?;
        state.owed.insert(owed);
        Ok(())
    }

    /// Writes down that `node` has been refreshed.
    pub(super) fn settle(&self, node: &Id) -> Result<(), Ended> {
        let mut state = self.state();
        let settled: Vec<Owed> = state.owed.iter().filter(|owed| owed.to == *node).cloned().collect();
        for owed in settled {
            state.append(Record::Settled(owed.clone()))?;
            state.owed.remove(&owed);
        }
        Ok(())
    }

    /// Executes `op` for `nodes`.
    pub(super) fn act(&self, nodes: &[Id], op: &Op, timeout: Option<Duration>) -> Result<(), Ended> {
        let before = self.images(op).map_err(Ended::Failed)?;
        let packages = matches!(op, Op::Packages(_)).then(|| self.host.all_packages());
        let packages = packages.transpose().map_err(Ended::Failed)?;
        let seq = self.announce(nodes, op, before)?;
        let attempt = Attempt { tag: format!("{}-{seq}", self.run), timeout };
        let done = self.host.execute(op, &attempt).and_then(|touched| {
            let after = self.images(op)?;
            Ok((after, self.others(op, &touched, packages.as_deref())?))
        });
        let record = match &done {
            Ok((after, touched)) => Record::Done { seq, after: after.clone(), touched: touched.clone() },
            Err(failure) => Record::Failed { seq, because: failure.to_string() },
        };
        self.state().append(record)?;
        done.map(|_| ()).map_err(Ended::Failed)
    }

    fn announce(&self, nodes: &[Id], op: &Op, before: Vec<(Subject, State)>) -> Result<u64, Ended> {
        let mut state = self.state();
        state.seq += 1;
        let seq = state.seq;
        state.append(Record::Intent { seq, nodes: nodes.to_vec(), op: Box::new(op.clone()), before })?;
        Ok(seq)
    }

    fn images(&self, op: &Op) -> Result<Vec<(Subject, State)>, Failure> {
        let secrecy = secrecy(op);
        let image = |subject: Subject| {
            let state = capture(self.host, &subject, secrecy, self.keep)?;
            Ok((subject, state))
        };
        subjects(op).into_iter().map(image).collect()
    }

    /// Before- and after-images of what the op changed besides. A path that was touched is new: it was absent.
    fn others(
        &self,
        op: &Op,
        touched: &Touched,
        packages: Option<&BTreeMap<String, Package>>,
    ) -> Result<Vec<(Subject, State, State)>, Failure> {
        let named = subjects(op);
        let mut others = Vec::new();
        for subject in touched.iter().filter(|subject| !named.contains(subject)) {
            let before = match subject {
                Subject::Path(_) => State::Path(model::PathState::Absent),
                Subject::Package(name) => {
                    State::Package(packages.and_then(|all| all.get(name)).map(package_state))
                }
                _ => continue,
            };
            let after = capture(self.host, subject, secrecy(op), self.keep)?;
            others.push((subject.clone(), before, after));
        }
        Ok(others)
    }

    fn state(&self) -> MutexGuard<'_, Journalled<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn package_state(package: &Package) -> PackageState {
    let left_over = package.status == crate::system::PackageStatus::ConfigFiles;
    PackageState { version: (!left_over).then(|| package.version.clone()), held: package.held }
}

impl Journalled<'_> {
    fn append(&mut self, record: Record) -> Result<(), Ended> {
        if let Some(failure) = &self.dead {
            return Err(Ended::Dead(failure.clone()));
        }
        self.log.append(record).map_err(|failure| {
            self.dead = Some(failure.clone());
            Ended::Dead(failure)
        })
    }
}
