//! Executes one op: before-image, intent, act, after-image, done. What the journal holds is always ahead of the host.

use super::comeback::Comeback;
use super::commit::Commit;
use super::debs::{keep_named, keep_others};
use super::log::Log;
use super::run::Host;
use crate::system::{Attempt, Package, System, Touched};
use crate::undo::{CompareOnly, Keep, Later, Secrecy, capture, package_state, spares, subjects};
use model::{Failure, Fingerprint, Gather, Id, Op, Owed, PackageState, Record, State, Subject};
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

/// What has to be known of an op before it.
#[derive(Clone)]
struct Ready {
    before: Vec<Image>,
    packages: Option<Arc<Packages>>,
    /// All packages, as they are kept.
    kept: Option<Fingerprint>,
}

impl Ready {
    /// The record that announces the op.
    fn intent(self, op: &Op, terms: &Terms<'_>) -> impl FnOnce(u64) -> Record + use<> {
        let (nodes, op) = (terms.nodes.to_vec(), Box::new(op.clone()));
        move |seq| Record::Intent { seq, nodes, op, before: self.before, packages: self.kept }
    }
}

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

    /// Writes down who will have to be refreshed, before the changes that cause it.
    pub(super) fn owe(&self, mut owed: BTreeSet<Owed>) -> Result<(), Ended> {
        owed.retain(|owed| !self.owing().contains(owed));
        self.journal.append(owed.iter().cloned().map(Record::Owed))?;
        self.owing().append(&mut owed);
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
        let ready = self.ready(op, terms, self.keep).map_err(Ended::Failed)?;
        let packages = ready.packages.clone();
        let seq = self.journal.announce([ready.intent(op, terms)])?;
        let executed = self.execute(op, &self.attempt(seq, terms));
        let (record, result) = self.outcome((op, terms), packages.as_deref(), (seq, executed));
        self.journal.append([record])?;
        result.map_err(Ended::Failed)
    }

    /// Executes several ops that each write one file: what is to be durable before the first of them is so for all, by one sync of the
    /// before-images and one of the journal, and by one more at their end. How each ended, in their order.
    pub(super) fn act_all(&self, all: &[(&Op, Terms<'_>)]) -> Result<Vec<Result<(), Failure>>, Ended> {
        let ready = self.all_ready(all);
        let go = || all.iter().zip(&ready).filter(|(_, ready)| ready.is_ok()).map(|(one, _)| one);
        let intents = all.iter().zip(&ready).filter_map(|((op, terms), ready)| {
            ready.as_ref().ok().map(|ready| ready.clone().intent(op, terms))
        });
        let first = self.journal.announce(intents)?;
        let attempts = go().zip(first..).map(|((op, terms), seq)| (*op, self.attempt(seq, terms)));
        let executed = self.host.execute_all(&attempts.collect::<Vec<_>>());
        let ended = go().zip(executed).zip(first..);
        let ended = ended.map(|(((op, terms), done), seq)| self.outcome((op, terms), None, (seq, done)));
        let (records, results): (Vec<_>, Vec<_>) = ended.unzip();
        self.journal.append(records)?;
        let mut results = results.into_iter();
        let result = |ready: Result<Ready, Failure>| {
            ready.and_then(|_| results.next().expect("each that was ready has an end"))
        };
        Ok(ready.into_iter().map(result).collect())
    }

    /// Takes the before-images of several, whose bytes are kept together.
    fn all_ready(&self, all: &[(&Op, Terms<'_>)]) -> Vec<Result<Ready, Failure>> {
        let (mut waiting, mut of) = (Vec::new(), Vec::new());
        let mut ready = Vec::with_capacity(all.len());
        for (at, (op, terms)) in all.iter().enumerate() {
            let later = Later::of(self.keep);
            ready.push(self.ready(op, terms, &later));
            waiting.extend(later.take());
            of.resize(waiting.len(), at);
        }
        for (kept, at) in self.keep.keep_all(&waiting).into_iter().zip(of) {
            if let Err(failure) = kept {
                ready[at] = Err(failure);
            }
        }
        ready
    }

    /// Takes the before-images.
    fn ready(&self, op: &Op, terms: &Terms<'_>, keep: &dyn Keep) -> Result<Ready, Failure> {
        let before = self.images(op, terms, keep)?;
        let before = before.into_iter().filter(|(subject, state)| !spares(op, (subject, state))).collect();
        let packages = self.packages(op)?;
        let kept = packages.as_ref().map(|all| self.keep_packages(op, all)).transpose()?;
        Ok(Ready { before, packages, kept })
    }

    fn attempt(&self, seq: u64, terms: &Terms<'_>) -> Attempt {
        Attempt { tag: format!("{}-{seq}", self.run), timeout: terms.timeout }
    }

    /// What became of an op, for the journal and for who asked.
    fn outcome(
        &self,
        (op, terms): (&Op, &Terms<'_>),
        packages: Option<&Packages>,
        (seq, executed): (u64, Result<Touched, Failure>),
    ) -> (Record, Result<(), Failure>) {
        let touched = executed.as_deref().unwrap_or(&[]);
        let seen = self.aftermath(op, terms, (touched, packages));
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
        (record, result.and(kept))
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
            all.iter().map(|(name, it)| (name, package_state(it))).gather();
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
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).gather();
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let state = |of: &Packages, name: &String| State::Package(of.get(name).map(package_state));
    changed.map(|name| (Subject::Package(name.clone()), state(before, name), state(after, name))).collect()
}
