//! Answers what earlier runs left owed to those whom this run is not for: services of another catalog, services that were left out,
//! and all of them in a rollback. They say when they are notified what has to be done; where only their own run can tell, they wait.

use super::act::{Actor, Ended, Terms};
use super::moot::is_moot;
use super::run::Host;
use crate::undo::Secrecy;
use model::{Answer, Check, EventBody, Gather, Id, NodeStatus, Op, Owed, Step};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Deadline of a restart.
const LONGEST: Duration = Duration::from_secs(120);

/// Answers those of `carried` that are still owed, but for whom this run is not to or sees to by itself. Units in `fresh` have been restarted since.
pub(super) fn answer_others(
    (actor, host): (&Actor<'_>, &Host<'_>),
    carried: &BTreeSet<Owed>,
    waits: impl Fn(&Id) -> bool,
    fresh: &BTreeSet<String>,
) -> Vec<NodeStatus> {
    let waiting = carried.intersection(&actor.owed()).cloned().collect::<Vec<_>>();
    let waiting = waiting.into_iter().filter(|owed| !waits(&owed.to));
    let answers: BTreeMap<Id, Answer> = waiting.filter_map(|owed| Some((owed.to, owed.answer?))).gather();
    let mut ended = Vec::new();
    for (id, answer) in answers {
        if host.stop.load(Ordering::Relaxed) || actor.death().is_some() {
            break;
        }
        let mut changes = Vec::new();
        let done = give(actor, (&id, &answer), fresh, &mut changes);
        let (status, because) = match done {
            Ok(()) if changes.is_empty() => (NodeStatus::Unchanged, String::new()),
            Ok(()) => (NodeStatus::Refreshed, String::new()),
            Err(ended) => (NodeStatus::Failed, ended.failure().to_string()),
        };
        ended.push(status);
        host.sink.emit(EventBody::Node { id, origin: None, status, changes, because, millis: 0 });
    }
    ended
}

fn give(
    actor: &Actor<'_>,
    (id, answer): (&Id, &Answer),
    fresh: &BTreeSet<String>,
    changes: &mut Vec<String>,
) -> Result<(), Ended> {
    let act = Op::Unit { name: answer.unit.clone(), action: answer.action };
    if !fresh.contains(&answer.unit) && !is_moot(&act, actor.host()).map_err(Ended::Failed)? {
        let terms = Terms { nodes: std::slice::from_ref(id), secrecy: Secrecy::Open, timeout: Some(LONGEST) };
        let check = Check::of(&answer.unit, &answer.check).map(Op::Check);
        for op in check.into_iter().chain([act]) {
            actor.act(&op, &terms)?;
            changes.push(Step::new(op).to_string());
        }
    }
    actor.settle(id)
}
