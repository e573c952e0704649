//! A run under way, from its open journal to its end: the same whether it has just begun, or goes on after a reboot.

use super::before::Before;
use super::comeback::Return;
use super::job::{Ended, Job, forget_old_runs};
use crate::engine::{Graph, Host, Outcome, run};
use crate::state::{After, Applied, FileLog, Ledger};
use model::{Failure, Id, NodeStatus, Owed, Plan, Report};
use std::collections::BTreeSet;

/// A run whose journal is open.
pub(super) struct Begun {
    /// Its number.
    pub(super) run: u64,
    /// Its journal.
    pub(super) log: FileLog,
    /// What the journal has as owed.
    pub(super) owed: BTreeSet<Owed>,
    /// What it did before a reboot.
    pub(super) before: Before,
}

/// Carries out `plan` and ends the run.
pub(super) fn go_on(
    (job, ledger): (&Job<'_>, &mut Ledger),
    graph: &Graph<'_>,
    plan: &Plan,
    mut begun: Begun,
) -> Result<Report, Ended> {
    let (store, comeback) = (job.state.store_of(begun.run)?, Return { job, run: begun.run });
    let sink = begun.before.hiding(job.events);
    let host = Host {
        system: job.system,
        keep: &store,
        sink: &sink,
        comeback: Some(&comeback),
        stop: job.stop,
        faults: job.faults,
    };
    let absent = absent(job, ledger, plan);
    let Outcome { mut report, mut removed, nodes, owed, dead } =
        run(graph, (plan, &job.choice), &host, &mut begun.log, (begun.run, begun.owed));
    begun.before.count(graph, &nodes, &mut report);
    report.drift = drifted(plan, &nodes);
    if let Some(failure) = dead {
        return Err(Ended::Broken { report: Box::new(report), failure });
    }
    removed.extend(absent);
    job.state.note_removed(begun.run, (job.scope, &removed), ledger)?;
    take_up((job, ledger), &removed, &nodes.iter().map(|status| After::of(*status)).collect::<Vec<_>>())?;
    begun.log.end(report.clone(), &owed)?;
    forget_old_runs(job.state, job.events, job.terms);
    Ok(report)
}

/// Writes down what the catalog has, and how its nodes are now.
pub(super) fn take_up(
    (job, ledger): (&Job<'_>, &mut Ledger),
    removed: &[Id],
    after: &[After],
) -> Result<(), Failure> {
    let applied = Applied::to_keep(job.state, job.secrets)?;
    ledger.update(job.scope, (job.catalog, removed), (after, &applied));
    ledger.write(job.state)
}

/// How many of the nodes that were changed somebody else had changed before.
fn drifted(plan: &Plan, nodes: &[NodeStatus]) -> u64 {
    let nodes = plan.nodes.iter().zip(nodes);
    nodes.filter(|(node, status)| node.is_drift() && **status == NodeStatus::Changed).count() as u64
}

/// Orphans that are not there any more, as after a run that took them away and was cut off.
pub(super) fn absent(job: &Job<'_>, ledger: &Ledger, plan: &Plan) -> Vec<Id> {
    if job.is_part() {
        // They were not looked for.
        return Vec::new();
    }
    let planned = |id: &Id| plan.orphans.iter().any(|orphan| orphan.id == *id);
    let is_absent = |id: &Id| job.choice.part.has(id) && !planned(id);
    ledger.orphans(job.scope, job.catalog).into_keys().filter(is_absent).collect()
}
