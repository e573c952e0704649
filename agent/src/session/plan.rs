//! The plan of a job: what the engine foresees, with the orphans of the ledger.

use super::job::Job;
use super::minded::soft_locks;
use super::stake;
use crate::engine::{Graph, Sink, forecast};
use crate::kind::Registered;
use crate::state::{Applied, Ledger, Past};
use crate::system::System;
use model::{Because, EventBody, Failure, Gather, Id, Orphan, Owed, Plan, Secrets, Step};
use std::collections::BTreeMap;

/// Plans the job. Writes nothing, also not in the host's state.
pub fn plan(job: &Job<'_>) -> Result<Plan, Failure> {
    plan_with(job, &Graph::load(job.catalog, job.secrets, job.kinds)?)
}

/// The same of a graph that is loaded.
pub(super) fn plan_with(job: &Job<'_>, graph: &Graph<'_>) -> Result<Plan, Failure> {
    let past = job.state.past()?;
    let (ledger, damage) = Ledger::read(job.state)?;
    if let Some(damage) = damage {
        job.events.emit(EventBody::Note { text: damage.to_string() });
    }
    plan_to_tell(job, graph, (&past, &ledger))
}

/// The plan of a run that has not begun: it says as well whether it has to be confirmed.
pub(super) fn plan_to_tell(
    job: &Job<'_>,
    graph: &Graph<'_>,
    known: (&Past, &Ledger),
) -> Result<Plan, Failure> {
    let plan = plan_graph(job, graph, known)?;
    Ok(Plan { armed: stake::of_job(job, graph, &plan)?, ..plan })
}

pub(super) fn plan_graph(
    job: &Job<'_>,
    graph: &Graph<'_>,
    (past, ledger): (&Past, &Ledger),
) -> Result<Plan, Failure> {
    let locks = soft_locks(&job.choice.locks, (job.state, job.clock))?;
    // What only another catalog can answer is no business of this run.
    let answered = |owed: &&Owed| owed.answer.is_some() || job.catalog.position(&owed.to).is_some();
    let owed = past.owed.iter().filter(answered).cloned().gather();
    let mut plan = forecast(graph, job.system, &job.choice, &owed, job.blobs)?;
    tell_drift(job, ledger, &mut plan)?;
    let orphans = match job.is_part() {
        true => BTreeMap::new(),
        false => ledger.orphans(job.scope, job.catalog),
    };
    for (id, owned) in orphans.into_iter().filter(|(id, _)| job.choice.part.has(id)) {
        let is_rolled_back = owned.rolled_back.is_some();
        let planned = match owned.removal {
            Some(_) if job.choice.locks.on(&id).is_some() => {
                Err(job.choice.locks.on(&id).unwrap_or_default().to_owned())
            }
            None => Err("it stays: on_removal is \"keep\"".to_owned()),
            Some(params) => removal(job.kinds, job.system, &id, params).map_err(|it| it.to_string()),
        };
        let (steps, because) = match planned {
            // It is gone already.
            Ok(steps) if steps.is_empty() => continue,
            Ok(steps) => (steps, String::new()),
            Err(because) => (Vec::new(), because),
        };
        plan.orphans.push(Orphan { id, steps, because, is_rolled_back });
    }
    plan.locks = locks;
    Ok(plan)
}

/// Has each node that is to change say why. One of which the ledger does not have that the same was applied before is no drift.
fn tell_drift(job: &Job<'_>, ledger: &Ledger, plan: &mut Plan) -> Result<(), Failure> {
    let may_be = |because| matches!(because, Some(Because::Drift | Because::Follows | Because::Unknown));
    let nodes = job.catalog.nodes().iter().zip(&mut plan.nodes);
    let mut nodes = nodes.filter(|(_, planned)| may_be(planned.because)).peekable();
    if nodes.peek().is_none() {
        return Ok(());
    }
    let applied = Applied::known(job.state, job.secrets)?;
    for (node, planned) in nodes {
        match ledger.because(job.scope, &node.id, applied.of(node)) {
            // The same is desired as was applied: what was found before stands.
            Because::Drift => {}
            // It is there again, whatever was rolled back.
            Because::RolledBack if planned.because == Some(Because::Follows) => {}
            other => planned.because = Some(other),
        }
    }
    Ok(())
}

/// The steps that remove what a resource of an earlier catalog made.
fn removal(
    kinds: &[&dyn Registered],
    system: &dyn System,
    id: &Id,
    mut params: serde_json::Value,
) -> Result<Vec<Step>, Failure> {
    let cannot = |why: &str| Failure::refused(format!("{id} cannot be removed: {why}"), "remove it by hand");
    let kind =
        kinds.iter().find(|kind| kind.word() == id.kind()).ok_or_else(|| cannot("its kind is unknown"))?;
    // Secrets are not in the ledger, and removing needs none.
    Secrets::default().resolve(&mut params).map_err(|_| cannot("its keys are incomplete"))?;
    let resource =
        kind.decode(id.name(), &params).map_err(|_| cannot("its keys are not understood any more"))?;
    resource.removal(system)?.ok_or_else(|| cannot("its kind has no way to"))
}
