//! What somebody else changed: of a plan, what differs though the same was applied before, with what the host knows of when and by whom.
//! Changes nothing.

use super::job::Job;
use super::plan::plan_with;
use crate::engine::{Graph, Vertex};
use crate::state::{Applied, Ledger};
use crate::traces::{Found, find, went_back};
use model::{Because, Drift, Drifted, Failure, PlannedNode, Verdict};

/// Finds it out. What is not known counts as drift: it is told as that.
///
/// # Errors
/// It cannot be planned.
pub fn drift(job: &Job<'_>) -> Result<Drift, Failure> {
    let graph = Graph::load(job.catalog, job.secrets, job.kinds)?;
    let plan = plan_with(job, &graph)?;
    let (mut told, mut found) = (Drift::default(), Vec::new());
    for (node, vertex) in plan.nodes.into_iter().zip(graph.vertices()) {
        let because = because(job, &node, vertex)?;
        match (&node.verdict, because) {
            (Verdict::Unchanged, _) => told.even += 1,
            (Verdict::LeftOut, _) | (_, Some(Because::Follows)) => {}
            (_, Some(Because::Intended | Because::RolledBack)) => told.intended += 1,
            (_, Some(because @ (Because::Drift | Because::Unknown))) => {
                found.push(unknown(vertex));
                told.resources.push(drifted(node, because));
            }
            (Verdict::Failed { because } | Verdict::Skipped { because }, None) => {
                told.untold.push((node.id, because.clone()));
            }
            (_, None) => told.untold.push((node.id, "it cannot be told before a run".to_owned())),
        }
    }
    if !found.is_empty() {
        find(&mut found, (job.system, job.state));
    }
    for (one, found) in told.resources.iter_mut().zip(found) {
        let (dated, others): (Vec<_>, Vec<_>) =
            found.traces.into_iter().partition(|trace| !trace.at.is_empty());
        one.traces = dated.into_iter().chain(others).collect();
    }
    Ok(told)
}

/// Nothing is known of it yet.
fn unknown(vertex: &Vertex<'_>) -> Found {
    let things = vertex.resource.owns().into_iter().map(|claim| claim.thing).collect();
    Found::new(vertex.node.id.clone(), things)
}

/// Why it differs. Where something newer is to be had somebody may all the same have put something older there than a run had left.
fn because(job: &Job<'_>, node: &PlannedNode, vertex: &Vertex<'_>) -> Result<Option<Because>, Failure> {
    let moved = Some(Because::Intended);
    if node.because != moved || !node.steps.iter().any(|step| step.moved == moved) {
        return Ok(node.because);
    }
    let ((ledger, _), applied) = (Ledger::read(job.state)?, Applied::known(job.state, job.secrets)?);
    if ledger.because(job.scope, &node.id, applied.of(vertex.node)) != Because::Drift {
        return Ok(moved);
    }
    let is_old = went_back(&unknown(vertex), job.state)?;
    Ok(if is_old { Some(Because::Drift) } else { moved })
}

fn drifted(node: PlannedNode, because: Because) -> Drifted {
    let refused = match node.verdict {
        Verdict::Failed { because } | Verdict::Skipped { because } if node.steps.is_empty() => Some(because),
        _ => None,
    };
    let changes = node.steps.iter().map(ToString::to_string).chain(refused).collect();
    let diffs = node.steps.into_iter().flat_map(|step| step.diffs).collect();
    Drifted {
        id: node.id,
        origin: node.origin,
        because,
        diffs,
        changes,
        texts: node.texts,
        traces: Vec::new(),
    }
}
