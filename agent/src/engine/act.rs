//! Executes one op: before-image, intent, act, after-image, done. What the journal holds is always ahead of the host.

use super::comeback::Comeback;
use super::commit::Commit;
use super::debs::{keep_named, keep_others};
use super::log::Log;
use super::run::Host;
use crate::system::{Attempt, Package, System, Touched};
use crate::undo::{CompareOnly, Keep, Secrecy, capture, package_state, spares, subjects};
use model::{Failure, Fingerprint, Id, Op, Owed, PackageState, Record, State, Subject};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
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
    stop: &'a AtomicBool,
    journal: Commit<'a>,
    /// What the journal says is owed: a notification comes here when it is durable there, and goes when its end is.
    owed: Mutex<BTreeSet<Owed>>,
}

impl<'a> Actor<'a> {
    /// `owed` is what the journal begins with.
    pub(super) fn new(host: &'a Host<'a>, log: &'a mut dyn Log, run: u64, owed: BTreeSet<Owed>) -> Self {
        let (journal, owed) = (Commit::new(log), Mutex::new(owed));
        let Host { system, keep, comeback, stop, .. } = *host;
        Self { host: system, keep, comeback, run, stop, journal, owed }
    }

    pub(super) fn host(&self) -> &'a dyn System {
        self.host
    }

    /// True where the run is to stop at the next safe point.
    pub(super) fn is_to_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Why nothing more may be done, if so.
    pub(super) fn death(&self) -> Option<Failure> {
        self.journal.death()
    }

    /// What is owed now.
    pub(super) fn owed(&self) -> BTreeSet<Owed> {
        self.owing().clone()
    }

    /// True where somebody who changed waits for `node` to be refreshed.
    pub(super) fn is_owed(&self, node: &Id) -> bool {
        self.owing().iter().any(|owed| owed.to == *node)
    }

    /// Writes down that `to` will have to be refreshed, before the change that causes it.
    pub(super) fn owe(&self, owed: Owed) -> Result<(), Ended> {
        if self.owing().contains(&owed) {
            return Ok(());
        }
        self.journal.append([Record::Owed(owed.clone())])?;
        self.owing().insert(owed);
        Ok(())
    }

    /// Takes back what `from` owe since `before`: what they were about to change has not changed.
    pub(super) fn withdraw(&self, from: &[Id], before: &BTreeSet<Owed>) -> Result<(), Ended> {
        self.cross_off(|owed| from.contains(&owed.from) && !before.contains(owed))
    }

    /// What the op is about, as it is now, for comparing with.
    pub(super) fn looks(&self, op: &Op, terms: &Terms<'_>) -> Result<Vec<Image>, Failure> {
        self.images(op, terms, &CompareOnly(self.keep))
    }

    /// Writes down that `node` has been refreshed.
    pub(super) fn settle(&self, node: &Id) -> Result<(), Ended> {
        self.cross_off(|owed| owed.to == *node)
    }

    fn cross_off(&self, is_settled: impl Fn(&Owed) -> bool) -> Result<(), Ended> {
        let settled: Vec<Owed> = self.owing().iter().filter(|owed| is_settled(owed)).cloned().collect();
        self.journal.append(settled.iter().cloned().map(Record::Settled))?;
        let mut owing = self.owing();
        owing.retain(|owed| !settled.contains(owed));
        Ok(())
    }

    /// Executes `op`.
    pub(super) fn act(&self, op: &Op, terms: &Terms<'_>) -> Result<(), Ended> {
        let before = self.images(op, terms, self.keep).map_err(Ended::Failed)?;
        let before = before.into_iter().filter(|(subject, state)| !spares(op, (subject, state))).collect();
        let packages = self.packages(op).map_err(Ended::Failed)?;
        let kept =
            packages.as_ref().map(|all| self.keep_packages(op, all)).transpose().map_err(Ended::Failed)?;
        let seq = self.announce(terms.nodes, op, (before, kept))?;
        let attempt = Attempt { tag: format!("{}-{seq}", self.run), timeout: terms.timeout };
        let executed = self.execute(op, &attempt);
        let touched = executed.as_deref().unwrap_or(&[]);
        let seen = self.aftermath(op, terms, (touched, packages.as_deref()));
        let others = seen.as_ref().map_or(&[][..], |(_, touched)| touched.as_slice());
        let kept = keep_others(others, (self.host, self.keep));
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
        self.journal.append([record])?;
        result.and(kept).map_err(Ended::Failed)
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
    fn keep_packages(&self, op: &Op, all: &Packages) -> Result<Fingerprint, Failure> {
        keep_named(op, all, (self.host, self.keep))?;
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
        let (nodes, op) = (nodes.to_vec(), Box::new(op.clone()));
        self.journal.announce(|seq| Record::Intent { seq, nodes, op, before, packages })
    }

    fn images(&self, op: &Op, terms: &Terms<'_>, keep: &dyn Keep) -> Result<Vec<Image>, Failure> {
        let image = |subject: Subject| {
            let state = capture(self.host, &subject, terms.secrecy, keep)?;
            Ok((subject, state))
        };
        subjects(op).into_iter().map(image).collect()
    }

    fn owing(&self) -> MutexGuard<'_, BTreeSet<Owed>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every package that is not as it was.
fn package_changes(before: &Packages, after: &Packages) -> Vec<(Subject, State, State)> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let state = |of: &Packages, name: &String| State::Package(of.get(name).map(package_state));
    changed.map(|name| (Subject::Package(name.clone()), state(before, name), state(after, name))).collect()
}
