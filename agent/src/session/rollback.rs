//! `rollback`: from the images in a run's journal to a plan like any other, and its execution under a journal of its own.

use super::job::{Answer, Ask, Ended, Rollback, boot_id, forget_old_runs, take};
use super::restoration::{Restoration, restorations};
use crate::engine::{Faults, Host, Order, Sink, enact};
use crate::state::{FileLog, Past, Read, StateDir};
use model::{
    Begin, EventBody, Failure, JOURNAL_VERSION, NodeStatus, Op, Plan, PlannedNode, Report, Status, Step,
    Verdict,
};

/// The plan of a rollback, for showing.
pub fn plan_rollback(rollback: &Rollback<'_>) -> Result<Plan, Failure> {
    let (_, status, attempts) = find(rollback)?;
    Ok(plan_of(&restorations(rollback, (&status, &attempts))?))
}

/// Rolls a run back.
pub fn rollback(rollback: &Rollback<'_>, ask: Ask<'_>) -> Result<Report, Ended> {
    let _lock = take(rollback.state, rollback.clock, "rollback")?;
    let (run, status, attempts) = find(rollback)?;
    let work = restorations(rollback, (&status, &attempts))?;
    let plan = plan_of(&work);
    rollback.events.emit(EventBody::Plan(plan.clone()));
    let refused = work.iter().filter(|one| one.refused.is_some()).count() as u64;
    if work.iter().all(|one| one.ops.is_empty()) {
        tell_refused(rollback, &work);
        clean(rollback, &rollback.state.past()?)?;
        let report = Report { failed: refused, ..Report::default() };
        rollback.events.emit(EventBody::Report(report.clone()));
        return Ok(report);
    }
    if ask(&plan)? == Answer::No {
        return Err(Ended::Declined(Box::new(plan.declined())));
    }
    let report = carry_out(rollback, run, (&work, refused))?;
    rollback.events.emit(EventBody::Report(report.clone()));
    Ok(report)
}

fn carry_out(
    rollback: &Rollback<'_>,
    run: u64,
    (work, refused): (&[Restoration], u64),
) -> Result<Report, Ended> {
    let past = rollback.state.past()?;
    let begin = Begin {
        version: JOURNAL_VERSION,
        run: past.next,
        at: (rollback.clock)(),
        boot: boot_id(),
        command: format!("rollback of run {run}"),
        undoes: Some(run),
    };
    clean(rollback, &past)?;
    let mut log = FileLog::begin(rollback.state, begin, &past.owed)?;
    rollback.events.begin(rollback.state, past.next)?;
    rollback.events.emit(EventBody::Started { run: past.next.to_string() });
    tell_refused(rollback, work);
    let store = rollback.state.store();
    let host = Host {
        system: rollback.system,
        keep: &store,
        sink: rollback.events,
        stop: rollback.stop,
        faults: Faults::default(),
    };
    let order =
        |one: &Restoration, op: &Op| Order { nodes: one.nodes.clone(), op: op.clone(), secrecy: one.secrecy };
    let orders = work.iter().flat_map(|one| one.ops.iter().map(move |op| order(one, op))).collect();
    let mut outcome = enact(orders, &host, &mut log, (past.next, past.owed));
    outcome.report.failed += refused;
    match outcome.dead {
        Some(failure) => Err(Ended::Broken { report: Box::new(outcome.report), failure }),
        None => {
            log.end(outcome.report.clone(), &outcome.owed)?;
            forget_old_runs(rollback.state, rollback.events);
            Ok(outcome.report)
        }
    }
}

/// What is left alone is settled as failed, each with its reason.
fn tell_refused(rollback: &Rollback<'_>, work: &[Restoration]) {
    for node in plan_of(work).nodes {
        let Verdict::Failed { because } = node.verdict else { continue };
        rollback.events.emit(EventBody::Node {
            id: node.id,
            origin: None,
            status: NodeStatus::Failed,
            changes: Vec::new(),
            because,
            millis: 0,
        });
    }
}

/// Removes the temporary files that a run which was cut off may have left.
fn clean(rollback: &Rollback<'_>, past: &Past) -> Result<(), Failure> {
    past.open.iter().try_for_each(|(tag, op)| rollback.system.clean(op, tag))
}

/// The run to roll back, with what its journal amounts to, and the attempts to do so after which nothing else was done. A
/// damaged journal cannot be trusted to bring things back.
fn find(rollback: &Rollback<'_>) -> Result<(u64, Status, Vec<Status>), Failure> {
    let run = match rollback.run {
        Some(run) => run,
        None => last(rollback.state)?,
    };
    let status = match rollback.state.status(run)? {
        Read::Whole(status) => *status,
        Read::Nothing => return Err(Failure::Missing { what: format!("run {run}") }),
        Read::Damaged(_, why) => {
            let why = format!("the journal of run {run} is damaged: {why}");
            return Err(Failure::refused(why, "restore what it changed from a backup"));
        }
    };
    let mut attempts = Vec::new();
    for later in rollback.state.numbers()?.into_iter().rev().take_while(|later| *later > run) {
        match rollback.state.status(later)? {
            Read::Nothing => {}
            Read::Whole(attempt) if undoes(&attempt) == Some(run) => attempts.push(*attempt),
            Read::Whole(_) | Read::Damaged(..) => break,
        }
    }
    Ok((run, status, attempts))
}

/// The last run that did anything; where that is a rollback that was cut off, the run that it was to roll back.
fn last(state: &StateDir) -> Result<u64, Failure> {
    for run in state.numbers()?.into_iter().rev() {
        match state.status(run)? {
            // Its directory was made and its journal was not: it has changed nothing.
            Read::Nothing => {}
            Read::Whole(status) if status.end.is_none() => return Ok(undoes(&status).unwrap_or(run)),
            Read::Whole(_) | Read::Damaged(..) => return Ok(run),
        }
    }
    Err(Failure::Missing { what: "a run that could be rolled back".to_owned() })
}

fn undoes(status: &Status) -> Option<u64> {
    status.begin.as_ref().and_then(|begin| begin.undoes)
}

fn plan_of(work: &[Restoration]) -> Plan {
    let nodes = work.iter().map(|one| PlannedNode {
        id: one.nodes.first().cloned().unwrap_or_else(|| model::Id::new("run", "unknown")),
        origin: None,
        verdict: match &one.refused {
            Some(because) => Verdict::Failed { because: because.clone() },
            None if one.ops.is_empty() => Verdict::Unchanged,
            None => Verdict::Change,
        },
        steps: one.ops.iter().map(|op| Step { op: op.clone(), diffs: one.diffs.clone() }).collect(),
        refresh: Vec::new(),
        texts: one.texts.clone(),
    });
    Plan { nodes: nodes.collect(), ..Plan::default() }
}
