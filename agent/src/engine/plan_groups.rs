//! What the plan says of nodes that change together: which they are, and that one which cannot be had holds back the others.
//!
//! It must not look at the host: the nodes have been planned.

use super::graph::Graph;
use super::together::{held_back, name_of};
use model::{Op, PlannedGroup, PlannedNode, Verdict};

/// The groups of which something will change, or may.
pub(super) fn planned_groups(graph: &Graph<'_>, nodes: &[PlannedNode]) -> Vec<PlannedGroup> {
    let changes = |at: &&usize| {
        let node = &nodes[**at];
        matches!(node.verdict, Verdict::Change | Verdict::Provisional { .. })
            && node.steps.iter().any(|step| name_of(&step.op).is_some())
    };
    let planned = graph.groups().all().iter().map(|group| PlannedGroup {
        nodes: group.members.iter().filter(changes).map(|at| nodes[*at].id.clone()).collect(),
        checks: group.checks.iter().map(|check| Op::Check(check.clone()).to_string()).collect(),
    });
    planned.filter(|group| !group.nodes.is_empty()).collect()
}

/// Those that would change together with one that cannot be had are not tried, and neither is what comes after them.
pub(super) fn hold_back(graph: &Graph<'_>, nodes: &mut [PlannedNode]) {
    loop {
        let held = held(graph, nodes);
        if held.is_empty() {
            return;
        }
        for (at, because) in held {
            let node = &mut nodes[at];
            node.verdict = Verdict::Skipped { because };
            (node.steps, node.refresh, node.texts) = (Vec::new(), Vec::new(), Vec::new());
        }
    }
}

/// Nodes that are held back by others, and why.
fn held(graph: &Graph<'_>, nodes: &[PlannedNode]) -> Vec<(usize, String)> {
    let is_bad = |at: usize| matches!(nodes[at].verdict, Verdict::Failed { .. } | Verdict::Skipped { .. });
    let mut held = Vec::new();
    for group in graph.groups().all() {
        let Some(culprit) = group.members.iter().copied().find(|at| is_bad(*at)) else { continue };
        let because = held_back(&nodes[culprit].id);
        let tries = |at: &&usize| {
            !matches!(nodes[**at].verdict, Verdict::Unchanged | Verdict::LeftOut) && !is_bad(**at)
        };
        held.extend(group.members.iter().filter(tries).map(|at| (*at, because.clone())));
    }
    for (at, vertex) in graph.vertices().iter().enumerate() {
        let blocking = vertex.before.iter().find(|link| is_bad(link.at));
        let is_open = nodes[at].verdict != Verdict::LeftOut && !is_bad(at);
        if let Some(link) = blocking.filter(|_| is_open && held.iter().all(|(known, _)| *known != at)) {
            held.push((at, format!("blocked by {}", nodes[link.at].id)));
        }
    }
    held
}
