//! Nodes that go in one task. Packages that are ready together go in one transaction; when that fails, one by one, to name the culprit.

use super::act::{Ended, Terms};
use super::decide::decide;
use super::node_run::{Desk, NodeOutcome, deadline};
use crate::kind::Class;
use crate::undo::Secrecy;
use model::{Id, NodeStatus, Op, Step, Transaction};
use std::collections::BTreeSet;

impl Desk<'_> {
    /// Works on several package nodes, or on those of a group. `notified` says of each whether a node before it changed and notifies it.
    pub(super) fn work_batch(&self, batch: &[(usize, bool)]) -> Vec<(usize, NodeOutcome)> {
        if let Some(group) = batch.first().and_then(|(at, _)| self.graph.groups().group_of(*at)) {
            return self.work_group(group, batch);
        }
        let alone = |at: usize, notified: bool| (at, self.work(at, notified));
        if batch.len() < 2 || batch.iter().any(|(at, _)| self.fail_at_node == Some(*at)) {
            return batch.iter().map(|(at, notified)| alone(*at, *notified)).collect();
        }
        if batch.iter().all(|(at, _)| self.graph.vertices()[*at].class == Class::Files) {
            return self.work_files(batch);
        }
        let (merged, mut others) = self.merge(batch);
        let mut outcomes: Vec<(usize, NodeOutcome)> = Vec::new();
        match merged.as_ref().map(|(op, nodes)| self.together(op, nodes)) {
            Some(Ok(())) => {
                let nodes = merged.into_iter().flat_map(|(_, nodes)| nodes);
                outcomes
                    .extend(nodes.map(|(at, notified, step)| (at, self.after_batch(at, notified, &step))));
            }
            // The transaction as a whole failed: each on its own tells which one it was.
            Some(Err(_)) => {
                let nodes = merged.into_iter().flat_map(|(_, nodes)| nodes);
                others.extend(nodes.map(|(at, notified, _)| (at, notified)));
                others.sort_unstable();
            }
            None => {}
        }
        outcomes.extend(others.into_iter().map(|(at, notified)| alone(at, notified)));
        outcomes
    }

    /// Splits the batch into what fits one transaction and the rest.
    fn merge(&self, batch: &[(usize, bool)]) -> (Option<Merged>, Vec<(usize, bool)>) {
        let mut merged: Option<(Transaction, Vec<Member>)> = None;
        let mut others = Vec::new();
        for (at, notified) in batch.iter().copied() {
            // A node that cannot be decided, or that also holds or unholds, goes by itself.
            let steps = decide(&self.graph.vertices()[at], self.actor.host()).unwrap_or_else(|_| Vec::new());
            let [step @ Step { op: Op::Packages(one), .. }] = steps.as_slice() else {
                others.push((at, notified));
                continue;
            };
            match &mut merged {
                None => merged = Some((one.clone(), vec![(at, notified, step.clone())])),
                Some((all, nodes)) if fits(all, one) => {
                    all.changes.extend(one.changes.iter().cloned());
                    all.held.extend(one.held.iter().cloned());
                    nodes.push((at, notified, step.clone()));
                }
                Some(_) => others.push((at, notified)),
            }
        }
        match merged {
            Some((_, nodes)) if nodes.len() < 2 => {
                others.extend(nodes.into_iter().map(|(at, notified, _)| (at, notified)));
                others.sort_unstable();
                (None, others)
            }
            Some((mut all, nodes)) => {
                all.changes.sort();
                (Some((Op::Packages(all), nodes)), others)
            }
            None => (None, others),
        }
    }

    fn together(&self, op: &Op, nodes: &[(usize, bool, Step)]) -> Result<(), Ended> {
        let vertices = || nodes.iter().map(|(at, ..)| &self.graph.vertices()[*at]);
        self.owe_all(vertices())?;
        let ids: Vec<Id> = vertices().map(|vertex| vertex.node.id.clone()).collect();
        let longest = vertices().filter_map(deadline).max();
        self.actor.act(op, &Terms { nodes: &ids, secrecy: Secrecy::Open, timeout: longest })
    }

    /// Verifies and refreshes a node whose package went with the batch.
    fn after_batch(&self, at: usize, notified: bool, step: &Step) -> NodeOutcome {
        let mut outcome = self.work(at, notified);
        outcome.acted = true;
        if outcome.status == NodeStatus::Unchanged {
            outcome.status = NodeStatus::Changed;
        }
        outcome.changes.insert(0, step.to_string());
        outcome
    }
}

/// One op for several nodes, each with the step that it stands for.
type Merged = (Op, Vec<Member>);

/// A node, whether it is notified, and the step that it stands for.
type Member = (usize, bool, Step);

/// True where both can go in one call of the package manager.
fn fits(all: &Transaction, one: &Transaction) -> bool {
    let settings =
        |it: &Transaction| Transaction { changes: Vec::new(), held: BTreeSet::new(), ..it.clone() };
    settings(all) == settings(one)
}
