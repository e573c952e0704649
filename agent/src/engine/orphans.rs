//! Takes away, at the end of a run, what the catalog no longer has and said to remove. What that is the plan has decided.

use super::act::{Actor, Terms};
use super::node_run::NodeOutcome;
use super::run::Host;
use crate::undo::Secrecy;
use model::{EventBody, Id, NodeStatus, Orphan, Plan};
use std::sync::atomic::Ordering;

/// Removes the orphans of the plan, the last one first; how each ended.
pub(super) fn remove_orphans(actor: &Actor<'_>, plan: &Plan, host: &Host<'_>) -> Vec<(Id, NodeStatus)> {
    let due = plan.orphans.iter().rev().filter(|orphan| !orphan.steps.is_empty());
    due.map(|orphan| {
        let NodeOutcome { status, changes, because, .. } = if host.stop.load(Ordering::Relaxed) {
            NodeOutcome::because(NodeStatus::Skipped, "the run was told to stop")
        } else {
            remove_orphan(actor, orphan)
        };
        let id = orphan.id.clone();
        host.sink.emit(EventBody::Node { id, origin: None, status, changes, because, millis: 0 });
        (orphan.id.clone(), status)
    })
    .collect()
}

fn remove_orphan(actor: &Actor<'_>, orphan: &Orphan) -> NodeOutcome {
    let mut outcome = NodeOutcome::plain(NodeStatus::Changed);
    // What it was about is no longer known: its images are kept as secrets.
    let nodes = std::slice::from_ref(&orphan.id);
    let terms = Terms { nodes, secrecy: Secrecy::Secret, timeout: None };
    for step in &orphan.steps {
        match actor.act(&step.op, &terms) {
            Ok(()) => outcome.changes.push(step.to_string()),
            Err(ended) => {
                outcome.because = ended.failure().to_string();
                outcome.status = NodeStatus::Failed;
                break;
            }
        }
    }
    outcome
}
