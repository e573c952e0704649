//! Executes one op: before-image, intent, act, after-image, done. What the journal holds is always ahead of the host.

use super::comeback::Comeback;
use super::log::Log;
use super::run::Host;
use crate::system::{Attempt, Package, System, Touched};
use crate::undo::{CompareOnly, Keep, Secrecy, capture, package_state, subjects};
use model::{Failure, Fingerprint, Id, Op, Owed, PackageState, Record, State, Subject};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// All packages, by name.
type Packages = BTreeMap<String, Package>;

/// A subject, as it was and as it is.
type Change = (Subject, State, State);

/// A subject and its state.
type Image = (Subject, State);

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

/// For whom an op is executed, and how.
pub(super) struct Terms<'a> {
    /// The nodes it is for.
    pub(super) nodes: &'a [Id],
    /// Whether the images of what it touches are secret.
    pub(super) secrecy: Secrecy,
    /// Deadline.
    pub(super) timeout: Option<Duration>,
}

/// The engine's only way to change the host.
pub(super) struct Actor<'a> {
    host: &'a dyn System,
    keep: &'a dyn Keep,
    comeback: Option<&'a dyn Comeback>,
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
    pub(super) fn new(host: &'a Host<'a>, log: &'a mut dyn Log, run: u64, owed: BTreeSet<Owed>) -> Self {
        let state = Mutex::new(Journalled { seq: log.last_seq(), log, owed, dead: None });
        Self { host: host.system, keep: host.keep, comeback: host.comeback, run, state }
    }

    pub(super) fn host(&self) -> &'a dyn System {
        self.host
    }

    /// Why nothing more may be done, if so.
    pub(super) fn death(&self) -> Option<Failure> {
        self.state().dead.clone()
    }

    /// What is owed now.
    pub(super) fn owed(&self) -> BTreeSet<Owed> {
        self.state().owed.clone()
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

    /// Takes back what `from` owe since `before`: what they were about to change has not changed.
    pub(super) fn withdraw(&self, from: &[Id], before: &BTreeSet<Owed>) -> Result<(), Ended> {
        let mut state = self.state();
        let is_new = |owed: &&Owed| from.contains(&owed.from) && !before.contains(owed);
        for owed in state.owed.iter().filter(is_new).cloned().collect::<Vec<_>>() {
            state.append(Record::Settled(owed.clone()))?;
            state.owed.remove(&owed);
        }
        Ok(())
    }

    /// What the op is about, as it is now, for comparing with.
    pub(super) fn looks(&self, op: &Op, terms: &Terms<'_>) -> Result<Vec<Image>, Failure> {
        self.images(op, terms, &CompareOnly(self.keep))
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

    /// Executes `op`.
    pub(super) fn act(&self, op: &Op, terms: &Terms<'_>) -> Result<(), Ended> {
        let before = self.images(op, terms, self.keep).map_err(Ended::Failed)?;
        let packages = self.packages(op).map_err(Ended::Failed)?;
        let kept = packages.as_ref().map(|all| self.keep_packages(all)).transpose().map_err(Ended::Failed)?;
        let seq = self.announce(terms.nodes, op, (before, kept))?;
        let attempt = Attempt { tag: format!("{}-{seq}", self.run), timeout: terms.timeout };
        let executed = self.execute(op, &attempt);
        let touched = executed.as_deref().unwrap_or(&[]);
        let seen = self.aftermath(op, terms, (touched, packages.as_deref()));
        let (record, result) = match (executed, seen) {
            (Ok(_), Ok((after, touched))) => (Record::Done { seq, after, touched }, Ok(())),
            // A transaction that fails half way has changed something all the same.
            (Err(failure), Ok((_, touched))) => {
                (Record::Failed { seq, because: failure.to_string(), touched }, Err(failure))
            }
            (Ok(_), Err(failure)) | (Err(failure), Err(_)) => {
                (Record::Failed { seq, because: failure.to_string(), touched: Vec::new() }, Err(failure))
            }
        };
        self.state().append(record)?;
        result.map_err(Ended::Failed)
    }

    /// A machine goes down only where the run can come back; where this returns from that, it did not go down.
    fn execute(&self, op: &Op, attempt: &Attempt) -> Result<Touched, Failure> {
        let (Op::Reboot, Some(comeback)) = (op, self.comeback) else { return self.host.execute(op, attempt) };
        let prepared = comeback.prepare(attempt.timeout.unwrap_or_default());
        let executed = prepared.and_then(|()| self.host.execute(op, attempt));
        comeback.withdraw();
        executed
    }

    fn packages(&self, op: &Op) -> Result<Option<Arc<Packages>>, Failure> {
        matches!(op, Op::Packages(_)).then(|| self.host.all_packages()).transpose()
    }

    /// All packages as they are, for a rollback of a transaction that was cut off.
    fn keep_packages(&self, all: &Packages) -> Result<Fingerprint, Failure> {
        let all: BTreeMap<&String, PackageState> =
            all.iter().map(|(name, it)| (name, package_state(it))).collect();
        let bytes =
            serde_json::to_vec(&all).map_err(|error| Failure::io("describe", "the packages", error))?;
        self.keep.keep(&bytes, Secrecy::Open)
    }

    /// What the op did: after-images of what it names, and of what else it changed also the before-images.
    fn aftermath(
        &self,
        op: &Op,
        terms: &Terms<'_>,
        (touched, packages): (&[Subject], Option<&Packages>),
    ) -> Result<(Vec<Image>, Vec<Change>), Failure> {
        // What the op leaves is only compared with: its bytes, which may be secret, are kept nowhere.
        let look = CompareOnly(self.keep);
        let after = self.images(op, terms, &look)?;
        let mut others = match packages {
            Some(before) => package_changes(before, &*self.host.all_packages()?),
            None => Vec::new(),
        };
        // A path that was touched besides is new: it was absent.
        for subject in touched.iter().filter(|subject| matches!(subject, Subject::Path(_))) {
            let state = capture(self.host, subject, terms.secrecy, &look)?;
            others.push((subject.clone(), State::Path(model::PathState::Absent), state));
        }
        let is_named = |subject: &Subject| after.iter().any(|(named, _)| named == subject);
        others.retain(|(subject, ..)| !is_named(subject));
        Ok((after, others))
    }

    fn announce(
        &self,
        nodes: &[Id],
        op: &Op,
        (before, packages): (Vec<Image>, Option<Fingerprint>),
    ) -> Result<u64, Ended> {
        let mut state = self.state();
        state.seq += 1;
        let seq = state.seq;
        let (nodes, op) = (nodes.to_vec(), Box::new(op.clone()));
        state.append(Record::Intent { seq, nodes, op, before, packages })?;
        Ok(seq)
    }

    fn images(&self, op: &Op, terms: &Terms<'_>, keep: &dyn Keep) -> Result<Vec<Image>, Failure> {
        let image = |subject: Subject| {
            let state = capture(self.host, &subject, terms.secrecy, keep)?;
            Ok((subject, state))
        };
        subjects(op).into_iter().map(image).collect()
    }

    fn state(&self) -> MutexGuard<'_, Journalled<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every package that is not as it was.
fn package_changes(before: &Packages, after: &Packages) -> Vec<(Subject, State, State)> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let state = |of: &Packages, name: &String| State::Package(of.get(name).map(package_state));
    changed.map(|name| (Subject::Package(name.clone()), state(before, name), state(after, name))).collect()
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
