//! Executes the steps of one node in their order, but for many that each give one name what it is to have: those are at work at once,
//! as they would be for nodes of their own, and share the syncs of the journal.

use super::act::{Actor, Ended, Terms};
use model::{Failure, HostPath, Op, Step};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Steps below which one after the other is as good.
const MANY: usize = 16;
/// How many are at work at once: they wait for the disk, and the more of them wait the more it does at a time.
const AT_ONCE: usize = 16;

/// How a step ended; those that were not tried are missing, after which comes a failure.
type Endings = Vec<(usize, Result<(), Ended>)>;

/// Executes `steps`; `done` hears of each that was. Nothing further is begun after one that failed, which is the error.
pub(super) fn execute(
    steps: &[Step],
    (actor, terms): (&Actor<'_>, &Terms<'_>),
    mut done: impl FnMut(&Step),
) -> Result<(), Ended> {
    let mut rest = steps;
    while let Some(step) = rest.first() {
        let together = rest.get(..alike(rest)).filter(|together| together.len() >= MANY);
        let Some(together) = together else {
            actor.act(&step.op, terms)?;
            done(step);
            rest = &rest[1..];
            continue;
        };
        for (at, ended) in all(together, (actor, terms)) {
            ended?;
            done(&together[at]);
        }
        rest = &rest[together.len()..];
    }
    Ok(())
}

/// How many steps from the first on are each for a name of its own.
fn alike(steps: &[Step]) -> usize {
    let mut names: BTreeSet<&HostPath> = BTreeSet::new();
    steps.iter().take_while(|step| own_name(&step.op).is_some_and(|name| names.insert(name))).count()
}

/// The name that the op gives something, where it needs nothing of what others do beside it.
fn own_name(op: &Op) -> Option<&HostPath> {
    match op {
        Op::WriteFile { path, validate, .. } if validate.is_empty() => Some(path),
        Op::MakeSymlink { path, .. } => Some(path),
        _ => None,
    }
}

/// In the order of the steps, but that failures come last.
fn all(steps: &[Step], (actor, terms): (&Actor<'_>, &Terms<'_>)) -> Endings {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let endings: Mutex<Endings> = Mutex::default();
    let work = || {
        while !failed.load(Ordering::Relaxed) && !actor.is_to_stop() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(step) = steps.get(at) else { return };
            let ended = actor.act(&step.op, terms);
            failed.fetch_or(ended.is_err(), Ordering::Relaxed);
            endings.lock().unwrap_or_else(PoisonError::into_inner).push((at, ended));
        }
    };
    std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    let mut endings = endings.into_inner().unwrap_or_else(PoisonError::into_inner);
    // What was done is told also where another one failed.
    endings.sort_by_key(|(at, ended)| (ended.is_err(), *at));
    if endings.len() < steps.len() && endings.iter().all(|(_, ended)| ended.is_ok()) {
        let told = Failure::refused("the run was told to stop", "run it again: it goes on with what is left");
        endings.push((steps.len(), Err(Ended::Failed(told))));
    }
    endings
}
