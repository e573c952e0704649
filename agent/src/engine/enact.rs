//! Executes ops in the order given, each journalled; for a rollback, which has no graph.

use super::act::{Actor, Ended};
use super::log::Log;
use super::run::{Host, Outcome};
use model::{EventBody, Id, NodeStatus, Op, Owed, Report, Step};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

/// Executes `ops`, each for its nodes. One that fails does not stop the others: each brings back what it can.
pub fn enact(
    ops: Vec<(Vec<Id>, Op)>,
    host: &Host<'_>,
    log: &mut dyn Log,
    (number, owed): (u64, BTreeSet<Owed>),
) -> Outcome {
    let actor = Actor::new((host.system, host.keep), log, number, owed);
    let mut report = Report { run: Some(number.to_string()), ..Report::default() };
    let mut nodes = Vec::new();
    for (ids, op) in ops {
        let (mut status, mut because) = (NodeStatus::Changed, String::new());
        if host.stop.load(Ordering::Relaxed) {
            (status, because) = (NodeStatus::Skipped, "the run was told to stop".to_owned());
        } else if let Err(ended) = actor.act(&ids, &op, None) {
            let dead = matches!(ended, Ended::Dead(_));
            because = ended.failure().to_string();
            status = if dead { NodeStatus::Skipped } else { NodeStatus::Failed };
        }
        report.count(status);
        nodes.push(status);
        let changes =
            if status == NodeStatus::Changed { vec![Step::new(op).to_string()] } else { Vec::new() };
        for id in ids.into_iter().take(1) {
            let (changes, because) = (changes.clone(), because.clone());
            host.sink.emit(EventBody::Node { id, origin: None, status, changes, because, millis: 0 });
        }
    }
    Outcome { report, nodes, dead: actor.death() }
}
