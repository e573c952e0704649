//! `rollback`: from the images in a run's journal to a plan like any other, and its execution under a journal of its own.

use super::comeback::supersede;
use super::guard::Post;
use super::job::{Answer, Ask, Ended, Rollback, boot_id, forget_old_runs};
use super::minded::{admit, in_the_way, soft_locks};
use super::restoration::{Restoration, restorations};
use super::span::{Span, find};
use super::stake;
use super::turn::Turn;
use crate::engine::{Faults, Host, Order, Sink, enact};
use crate::state::{FileLog, Ledger, Past};
use model::{
    Begin, EventBody, Failure, JOURNAL_VERSION, NodeStatus, Op, Plan, PlannedNode, Report, Step, Verdict,
};
use std::cell::OnceCell;

/// The plan of a rollback, for showing.
pub fn plan_rollback(rollback: &Rollback<'_>) -> Result<Plan, Failure> {
    let span = find(rollback)?;
    let locks = soft_locks(&rollback.locks, (rollback.state, rollback.clock))?;
    let plan = plan_of(&restorations(rollback, (&span.status, &span.attempts))?);
    let armed = stake::of_rollback(rollback, &plan)?;
    Ok(Plan { locks, armed, ..plan })
}

/// Rolls runs back.
pub fn rollback(rollback: &Rollback<'_>, ask: Ask<'_>) -> Result<Report, Ended> {
    let held = Turn { post: &Post::of_rollback(rollback), stop: rollback.stop }.take("rollback")?;
    admit(&rollback.locks, (rollback.state, rollback.clock))?;
    let locked = OnceCell::new();
    let begin = |plan: &Plan| {
        let in_the_way = in_the_way(&rollback.locks, plan);
        let answer = if in_the_way.is_some() { Answer::No } else { ask(plan)? };
        locked.get_or_init(|| in_the_way);
        if answer == Answer::Yes {
            held.begins(rollback.state.next_run()?)?;
        }
        Ok(answer)
    };
    match (roll_back(rollback, &begin), locked.into_inner().flatten()) {
        (Err(Ended::Declined(_)), Some(why)) => Err(Ended::SoftLocked(why)),
        (ended, _) => ended,
    }
}

/// As `rollback`, without a question, for a process that has the host's run lock already.
pub(super) fn roll_back_now(rollback: &Rollback<'_>) -> Result<Report, Ended> {
    roll_back(rollback, &|_| Ok(Answer::Yes))
}

fn roll_back(rollback: &Rollback<'_>, ask: Ask<'_>) -> Result<Report, Ended> {
    let span = find(rollback)?;
    let work = restorations(rollback, (&span.status, &span.attempts))?;
    let mut plan = plan_of(&work);
    plan.armed = stake::of_rollback(rollback, &plan)?;
    rollback.events.emit(EventBody::Plan(plan.clone()));
    let refused = work.iter().filter(|one| one.refused.is_some()).count() as u64;
    if work.iter().all(|one| one.ops.is_empty()) {
        tell_refused(rollback, &work);
        clean(rollback, &rollback.state.past()?)?;
        restore_ledger(rollback, &span)?;
        let report = Report { failed: refused, ..Report::default() };
        rollback.events.emit(EventBody::Report(report.clone()));
        return Ok(report);
    }
    if ask(&plan)? == Answer::No {
        return Err(Ended::Declined(Box::new(plan.declined())));
    }
    let report = carry_out(rollback, (&span, &plan), (&work, refused))?;
    rollback.events.emit(EventBody::Report(report.clone()));
    Ok(report)
}

fn carry_out(
    rollback: &Rollback<'_>,
    (span, plan): (&Span, &Plan),
    (work, refused): (&[Restoration], u64),
) -> Result<Report, Ended> {
    let past = rollback.state.past()?;
    let begin = Begin {
        version: JOURNAL_VERSION,
        run: past.next,
        at: (rollback.clock)(),
        boot: boot_id(),
        command: format!("rollback of {}", span.words()),
        undoes: Some(span.first),
        through: span.through,
        armed: plan.armed.as_ref().map(|stake| stake.window),
    };
    clean(rollback, &past)?;
    supersede(rollback.state, rollback.sentry)?;
    restore_ledger(rollback, span)?;
    let mut log = FileLog::begin(rollback.state, begin, &past.owed)?;
    rollback.events.begin(rollback.state, past.next)?;
    rollback.events.emit(EventBody::Started { run: past.next.to_string() });
    if let Err(failure) = Post::of_rollback(rollback).arm(past.next, plan.armed.as_ref()) {
        let report = Report { run: Some(past.next.to_string()), ..plan.declined() };
        log.end(report.clone(), &past.owed)?;
        return Err(Ended::Broken { report: Box::new(report), failure });
    }
    tell_refused(rollback, work);
    let store = rollback.state.store_of(past.next)?;
    let host = Host {
        system: rollback.system,
        keep: &store,
        sink: rollback.events,
        comeback: None,
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
            forget_old_runs(rollback.state, rollback.events, rollback.terms);
            Ok(outcome.report)
        }
    }
}

/// What the runs took off the ledger comes back on it, before what it stands for does: an orphan that is not there harms nobody.
fn restore_ledger(rollback: &Rollback<'_>, span: &Span) -> Result<(), Failure> {
    let (mut ledger, damage) = Ledger::read(rollback.state)?;
    if let Some(damage) = damage {
        rollback.events.emit(EventBody::Note { text: damage.set_aside(rollback.state)? });
    }
    // What was applied is not there any more, so what differs from it is somebody's will: whoever keeps the host even must not repair it.
    ledger.roll_back(span.status.acts.values().flat_map(|act| &act.nodes));
    let runs = span.first..=span.through.unwrap_or(span.first);
    let restored = rollback.state.restore_removed(runs, &mut ledger);
    ledger.write(rollback.state)?;
    if let Err(failure) = restored {
        let text = format!("what these runs removed is no orphan once it is back: {failure}");
        rollback.events.emit(EventBody::Note { text });
    }
    Ok(())
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

fn plan_of(work: &[Restoration]) -> Plan {
    let id =
        |one: &Restoration| one.nodes.first().cloned().unwrap_or_else(|| model::Id::new("run", "unknown"));
    let nodes = work.iter().map(|one| PlannedNode {
        verdict: match &one.refused {
            Some(because) => Verdict::Failed { because: because.clone() },
            None if one.ops.is_empty() => Verdict::Unchanged,
            None => Verdict::Change,
        },
        steps: one.ops.iter().map(|op| Step { diffs: one.diffs.clone(), ..Step::new(op.clone()) }).collect(),
        texts: one.texts.clone(),
        ..PlannedNode::unchanged(id(one))
    });
    Plan { nodes: nodes.collect(), ..Plan::default() }
}
