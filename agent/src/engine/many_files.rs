//! Files that are ready together are written in one go: what has to be durable before them, and at their end, is made so once for all.
//! Each is a change of its own all the same, and fails alone.
//!
//! `run` chooses them by the plan; what they are is decided here once more.

use super::act::{Ended, Terms};
use super::decide::decide;
use super::node_run::{Desk, NodeOutcome, deadline};
use model::{Failure, Id, NodeStatus, Op, Step};

/// So many go together, at most: none waits long for the others.
pub(super) const MOST: usize = 32;

/// As how many tasks on files they count.
pub(super) const WEIGHT: usize = 8;

/// Larger ones go by themselves, in bytes.
const LARGEST: u64 = 1 << 20;

/// A node, whether it is notified, and its only step.
type Member = (usize, bool, Step);

/// True for a node that has but one small file to write, and nobody to ask.
pub(super) fn is_plain(steps: &[Step]) -> bool {
    let [Step { op: Op::WriteFile { content, validate, .. }, .. }] = steps else { return false };
    validate.is_empty() && content.size() <= LARGEST
}

impl Desk<'_> {
    /// Works on several nodes that were planned to write a file each.
    pub(super) fn work_files(&self, batch: &[(usize, bool)]) -> Vec<(usize, NodeOutcome)> {
        let (mut members, mut others) = (Vec::new(), Vec::new());
        for (at, notified) in batch.iter().copied() {
            // One that cannot be decided, or has something else to do by now, goes by itself.
            let steps = decide(&self.graph.vertices()[at], self.actor.host()).unwrap_or_else(|_| Vec::new());
            match <[Step; 1]>::try_from(steps) {
                Ok([step]) if is_plain(std::slice::from_ref(&step)) => members.push((at, notified, step)),
                _ => others.push((at, notified)),
            }
        }
        let mut outcomes = self.write_together(members);
        outcomes.extend(others.into_iter().map(|(at, notified)| (at, self.work(at, notified))));
        outcomes
    }

    fn write_together(&self, members: Vec<Member>) -> Vec<(usize, NodeOutcome)> {
        let written = match self.write(&members) {
            Ok(written) => written,
            Err(ended) => {
                let failure = ended.failure();
                members.iter().map(|_| Err(failure.clone())).collect()
            }
        };
        let outcome = |((at, notified, step), written): (Member, Result<(), Failure>)| match written {
            Ok(()) => (at, self.conclude(at, notified, &[step])),
            // Even an op that fails may have changed something.
            Err(failure) => {
                let tried = NodeOutcome { acted: true, ..NodeOutcome::plain(NodeStatus::Unchanged) };
                (at, tried.fail(&failure))
            }
        };
        members.into_iter().zip(written).map(outcome).collect()
    }

    fn write(&self, members: &[Member]) -> Result<Vec<Result<(), Failure>>, Ended> {
        let vertices = || members.iter().map(|(at, ..)| &self.graph.vertices()[*at]);
        self.owe_all(vertices())?;
        let ids: Vec<[Id; 1]> = vertices().map(|vertex| [vertex.node.id.clone()]).collect();
        let terms = vertices().zip(&ids).map(|(vertex, nodes)| Terms {
            nodes,
            secrecy: vertex.secrecy,
            timeout: deadline(vertex),
        });
        let ops = members.iter().map(|(.., step)| &step.op);
        self.actor.act_all(&ops.zip(terms).collect::<Vec<_>>())
    }
}
