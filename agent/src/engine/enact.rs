//! Executes ops in the order given, each journalled; for a rollback, which has no graph.

use super::act::{Actor, Ended, Terms};
use super::answer::answer_others;
use super::log::Log;
use super::moot::is_moot;
use super::run::{Host, Outcome};
use crate::undo::Secrecy;
use model::{EventBody, Failure, Id, NodeStatus, Op, Owed, Report, Step, UnitAction};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

/// One op, and for whom.
pub struct Order {
    /// The nodes it is for.
    pub nodes: Vec<Id>,
    /// What to do.
    pub op: Op,
    /// Whether the images of what it touches are secret.
    pub secrecy: Secrecy,
}

/// Executes `orders`. One that fails does not stop the others: each brings back what it can.
pub fn enact(
    orders: Vec<Order>,
    host: &Host<'_>,
    log: &mut dyn Log,
    (number, owed): (u64, BTreeSet<Owed>),
) -> Outcome {
    let actor = Actor::new(host, log, number, owed.clone());
    // Units that have read what was brought back.
    let mut fresh: BTreeSet<String> = BTreeSet::new();
    let mut report = Report { run: Some(number.to_string()), ..Report::default() };
    let mut nodes = Vec::new();
    // Units whose check failed: they keep running as they do.
    let mut bad: BTreeSet<String> = BTreeSet::new();
    for Order { nodes: ids, op, secrecy } in orders {
        let terms = Terms { nodes: &ids, secrecy, timeout: None };
        let done = if host.stop.load(Ordering::Relaxed) {
            Ok(NodeStatus::Skipped)
        } else if let Some(unit) = restarted(&op).filter(|unit| bad.contains(*unit)) {
            let why = format!("the check of {unit} failed");
            Err(Ended::Failed(Failure::refused(why, "look at its configuration, then restart it")))
        } else {
            act_unless_moot(&actor, &op, &terms)
        };
        if let (Op::Check(check), Err(Ended::Failed(_))) = (&op, &done) {
            bad.insert(check.unit.clone());
        }
        if let (Some(unit), Ok(NodeStatus::Changed)) = (restarted(&op), &done) {
            fresh.insert(unit.clone());
        }
        let (status, because) = match done {
            Ok(NodeStatus::Skipped) => (NodeStatus::Skipped, "the run was told to stop".to_owned()),
            Ok(done) => (done, String::new()),
            Err(Ended::Dead(failure)) => (NodeStatus::Skipped, failure.to_string()),
            Err(Ended::Failed(failure)) => (NodeStatus::Failed, failure.to_string()),
        };
        report.count(status);
        nodes.push(status);
        let changes =
            if status == NodeStatus::Changed { vec![Step::new(op).to_string()] } else { Vec::new() };
        for id in ids.into_iter().take(1) {
            let (changes, because) = (changes.clone(), because.clone());
            host.sink.emit(EventBody::Node { id, origin: None, status, changes, because, millis: 0 });
        }
    }
    answer_others((&actor, host), &owed, |_| false, &fresh)
        .into_iter()
        .for_each(|status| report.count(status));
    Outcome { report, nodes, removed: Vec::new(), owed: actor.owed(), dead: actor.death() }
}

/// The unit that reads its configuration by the op.
fn restarted(op: &Op) -> Option<&String> {
    match op {
        Op::Unit { name, action: UnitAction::Start | UnitAction::Restart | UnitAction::Reload } => Some(name),
        _ => None,
    }
}

fn act_unless_moot(actor: &Actor<'_>, op: &Op, terms: &Terms<'_>) -> Result<NodeStatus, Ended> {
    if is_moot(op, actor.host()).map_err(Ended::Failed)? {
        return Ok(NodeStatus::Unchanged);
    }
    let done = if matches!(op, Op::Check(_)) { NodeStatus::Unchanged } else { NodeStatus::Changed };
    actor.act(op, terms).map(|()| done)
}
