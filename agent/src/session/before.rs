//! What a run did before the machine was rebooted, so that it is neither told twice nor forgotten in the sum. The journal says what was
//! done; the events, what was told.

use crate::engine::{Graph, Sink};
use crate::state::{EventLines, StateDir};
use model::{EventBody, Failure, Id, NodeStatus, Op, Outcome, Report, Status};
use std::collections::{BTreeMap, BTreeSet};

/// Of a run that has just begun: nothing.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Nodes that it changed.
    changed: BTreeSet<Id>,
    /// Nodes whose good end was told.
    told: BTreeSet<Id>,
    /// Nodes that had the machine rebooted, whose end could not be told, with what they did.
    rebooted: BTreeMap<Id, String>,
}

impl Before {
    /// What `run` did, by its journal and its events. Events are for people: those that cannot be read are as if they had not been told.
    pub(super) fn of(status: &Status, (state, run): (&StateDir, u64)) -> Self {
        let mut before = Self::default();
        for act in status.acts.values().filter(|act| matches!(act.outcome, Outcome::Done(..))) {
            before.changed.extend(act.nodes.iter().cloned());
            if act.op == Op::Reboot {
                before.rebooted.extend(act.nodes.iter().map(|id| (id.clone(), act.op.to_string())));
            }
        }
        let mut lines = EventLines::new(state, run);
        loop {
            match lines.following() {
                Ok(Some(event)) => before.take(event.body),
                Ok(None) => break,
                Err(Failure::Unknown { .. }) => {}
                Err(_) => break,
            }
        }
        before
    }

    fn take(&mut self, body: EventBody) {
        let EventBody::Node { id, status, .. } = body else { return };
        match status {
            NodeStatus::Unchanged | NodeStatus::Changed | NodeStatus::Refreshed | NodeStatus::LeftOut => {
                self.told.insert(id);
            }
            NodeStatus::Failed | NodeStatus::Skipped | NodeStatus::Unknown => {
                self.told.remove(&id);
            }
        }
    }

    /// Hands on to `events` what was not told before.
    pub(super) fn hiding<'a>(&'a self, events: &'a dyn Sink) -> impl Sink + 'a {
        Untold { before: self, events }
    }

    /// Counts as changed what was changed before, and is as wanted now.
    pub(super) fn count(&self, graph: &Graph<'_>, nodes: &[NodeStatus], report: &mut Report) {
        for (vertex, status) in graph.vertices().iter().zip(nodes) {
            if *status == NodeStatus::Unchanged && self.changed.contains(&vertex.node.id) {
                report.unchanged -= 1;
                report.changed += 1;
            }
        }
    }
}

struct Untold<'a> {
    before: &'a Before,
    events: &'a dyn Sink,
}

impl Untold<'_> {
    /// What is told in place of `body`, if anything.
    fn instead(&self, body: EventBody) -> Option<EventBody> {
        let EventBody::Node { id, origin, status, millis, .. } = &body else { return Some(body) };
        let is_still = matches!(status, NodeStatus::Unchanged | NodeStatus::LeftOut);
        match self.before.rebooted.get(id) {
            _ if is_still && self.before.told.contains(id) => None,
            Some(done) if is_still => Some(EventBody::Node {
                id: id.clone(),
                origin: origin.clone(),
                status: NodeStatus::Changed,
                changes: vec![done.clone()],
                because: String::new(),
                millis: *millis,
            }),
            _ => Some(body),
        }
    }
}

impl Sink for Untold<'_> {
    fn emit(&self, body: EventBody) {
        self.emit_all(vec![body]);
    }

    fn emit_all(&self, bodies: Vec<EventBody>) {
        self.events.emit_all(bodies.into_iter().filter_map(|body| self.instead(body)).collect());
    }
}
