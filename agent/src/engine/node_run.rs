//! Works on one node: probe again, owe, act, verify, refresh.

use super::act::{Actor, Ended, Terms};
use super::decide::decide;
use super::forecast::starts;
use super::graph::{Graph, Link, Vertex};
use super::spread;
use crate::kind::Class;
use model::{EdgeKind, Failure, NodeStatus, Op, Owed, Step};
use std::time::Duration;

/// How a node ended.
#[derive(Clone, Debug)]
pub(super) struct NodeOutcome {
    pub(super) status: NodeStatus,
    /// What was done, a line each.
    pub(super) changes: Vec<String>,
    /// Why it failed or was skipped.
    pub(super) because: String,
    /// True where the host was changed, also where the node failed later.
    pub(super) acted: bool,
}

impl NodeOutcome {
    pub(super) fn plain(status: NodeStatus) -> Self {
        Self { status, changes: Vec::new(), because: String::new(), acted: false }
    }

    pub(super) fn because(status: NodeStatus, because: impl Into<String>) -> Self {
        Self { because: because.into(), ..Self::plain(status) }
    }

    pub(super) fn fail(mut self, failure: &Failure) -> Self {
        let unknown = matches!(failure, Failure::Unknown { .. }) && !self.acted;
        self.status = if unknown { NodeStatus::Unknown } else { NodeStatus::Failed };
        self.because = failure.to_string();
        self
    }
}

/// What a worker needs besides the node.
pub(super) struct Desk<'a> {
    pub(super) graph: &'a Graph<'a>,
    pub(super) actor: &'a Actor<'a>,
    pub(super) fail_at_node: Option<usize>,
}

impl Desk<'_> {
    /// Works on the node at `at`; `notified` where a node before it changed and notifies it.
    pub(super) fn work(&self, at: usize, notified: bool) -> NodeOutcome {
        let vertex = &self.graph.vertices()[at];
        let mut outcome = NodeOutcome::plain(NodeStatus::Unchanged);
        match self.converge(at, vertex, &mut outcome) {
            Ok(started) => {
                let due = notified || self.actor.is_owed(&vertex.node.id);
                match if due { self.refresh(vertex, started, &mut outcome) } else { Ok(()) } {
                    Ok(()) => outcome,
                    Err(ended) => outcome.fail(&ended.failure()),
                }
            }
            Err(ended) => outcome.fail(&ended.failure()),
        }
    }

    /// Brings the node to its desired state; true where a unit was started on the way.
    fn converge(&self, at: usize, vertex: &Vertex<'_>, outcome: &mut NodeOutcome) -> Result<bool, Ended> {
        let host = self.actor.host();
        let steps = decide(vertex, host).map_err(Ended::Failed)?;
        if self.fail_at_node == Some(at) {
            return Err(Ended::Failed(Failure::refused("injected failure", "take the fault out")));
        }
        if steps.is_empty() {
            return Ok(false);
        }
        self.owe(vertex)?;
        self.take(vertex, &steps, outcome)?;
        outcome.status = NodeStatus::Changed;
        self.verify(vertex)?;
        Ok(starts(&steps))
    }

    /// Steps that are left after acting are a fault of the kind, or somebody else's doing. A command has no state, and where
    /// somebody comes back from a reboot without having gone, as in a rehearsal, its reason is still there.
    pub(super) fn verify(&self, vertex: &Vertex<'_>) -> Result<(), Ended> {
        let left = decide(vertex, self.actor.host()).map_err(Ended::Failed)?;
        let left: Vec<String> = left
            .iter()
            .filter(|step| !matches!(step.op, Op::Run(_) | Op::Reboot))
            .map(ToString::to_string)
            .collect();
        if left.is_empty() {
            return Ok(());
        }
        Err(Ended::Failed(Failure::Unverified { what: left.join("; ") }))
    }

    /// Writes down whom the change of this node will oblige.
    pub(super) fn owe(&self, vertex: &Vertex<'_>) -> Result<(), Ended> {
        self.owe_all([vertex])
    }

    /// The same for several nodes.
    pub(super) fn owe_all<'v>(
        &self,
        vertices: impl IntoIterator<Item = &'v Vertex<'v>>,
    ) -> Result<(), Ended> {
        let owed = |vertex: &Vertex<'_>, link: &Link| {
            let notified = &self.graph.vertices()[link.at];
            let (from, to) = (vertex.node.id.clone(), notified.node.id.clone());
            Owed { from, to, answer: notified.resource.answer() }
        };
        let notified = |vertex: &'v Vertex<'v>| {
            let links = vertex.after.iter().filter(|link| link.kind == EdgeKind::Notify);
            links.map(move |link| owed(vertex, link))
        };
        self.actor.owe(vertices.into_iter().flat_map(notified).collect())
    }

    pub(super) fn take(
        &self,
        vertex: &Vertex<'_>,
        steps: &[Step],
        outcome: &mut NodeOutcome,
    ) -> Result<(), Ended> {
        let nodes = std::slice::from_ref(&vertex.node.id);
        let terms = Terms { nodes, secrecy: vertex.secrecy, timeout: deadline(vertex) };
        // Even an op that fails may have changed something.
        outcome.acted |= !steps.is_empty();
        spread::execute(steps, (self.actor, &terms), |step| outcome.changes.push(step.to_string()))
    }

    /// Answers the notifications that the node is owed. A unit that was started in this run needs no restart.
    pub(super) fn refresh(
        &self,
        vertex: &Vertex<'_>,
        started: bool,
        outcome: &mut NodeOutcome,
    ) -> Result<(), Ended> {
        if !started {
            let steps = vertex.resource.refresh(self.actor.host()).map_err(Ended::Failed)?;
            if !steps.is_empty() {
                self.owe_by_refresh(vertex, &steps)?;
                self.take(vertex, &steps, outcome)?;
                if outcome.status == NodeStatus::Unchanged {
                    outcome.status = NodeStatus::Refreshed;
                }
            }
        }
        self.actor.settle(&vertex.node.id)
    }

    /// A command that runs on a notification changes something, so it notifies in turn; a restart does not.
    fn owe_by_refresh(&self, vertex: &Vertex<'_>, steps: &[Step]) -> Result<(), Ended> {
        if steps.iter().any(|step| matches!(step.op, Op::Run(_))) { self.owe(vertex) } else { Ok(()) }
    }
}

/// Deadline of one op: the node's own, or what is long for its class.
pub(super) fn deadline(vertex: &Vertex<'_>) -> Option<Duration> {
    let usual = match vertex.class {
        Class::Files | Class::Alone => 600,
        Class::Packages => 1800,
        Class::Units | Class::Accounts => 120,
        Class::Commands | Class::Independent => 300,
    };
    Some(Duration::from_secs(vertex.node.common.timeout.unwrap_or(usual)))
}
