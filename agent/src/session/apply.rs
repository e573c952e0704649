//! `apply`: lock, plan, ask, journal, run, ledger, end.

use super::before::Before;
use super::comeback::supersede;
use super::first_contact::{Pace, await_setup};
use super::going::{Begun, absent, go_on, take_up};
use super::guard::Post;
use super::job::{Answer, Ask, Ended, Job, boot_id};
use super::minded::{admit, all_locked, is_only_locked};
use super::plan::plan_to_tell;
use super::turn::Turn;
use super::unwind::{Unwound, unwind};
use crate::engine::{Graph, Sink};
use crate::state::{After, FileLog, Ledger, Past};
use model::{Begin, EventBody, Failure, JOURNAL_VERSION, Owed, Plan, Report, Settled, Verdict};
use wire::OnFailure;

/// A job that came to its report.
#[derive(Debug)]
pub struct Done {
    /// The sum.
    pub report: Report,
    /// The plan it carried out.
    pub plan: Plan,
    /// Whether what it did is still there.
    pub fate: Fate,
    /// True where nothing kept it from its goal but what people have locked.
    pub is_locked: bool,
}

/// Whether what a run did is still there at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is, as far as nobody undoes it later.
    Stays,
    /// Something failed, and all of it was undone.
    Undone,
}

/// Applies the job. `ask` sees the plan before anything changes; it is not asked when there is nothing to do.
pub fn apply(job: &Job<'_>, ask: Ask<'_>) -> Result<Done, Ended> {
    let held = Turn { post: &Post::of(job), stop: job.stop }.take(&job.command)?;
    admit(&job.choice.locks, (job.state, job.clock))?;
    await_setup(job.system, (job.events, job.stop), &Pace::default())?;
    let graph = Graph::load(job.catalog, job.secrets, job.kinds)?;
    let past = job.state.past()?;
    past.notes.iter().for_each(|text| job.events.emit(EventBody::Note { text: text.clone() }));
    let (mut ledger, damage) = Ledger::read(job.state)?;
    if let Some(damage) = damage {
        let text = damage.set_aside(job.state)?;
        job.events.emit(EventBody::Note { text });
    }
    let plan = plan_to_tell(job, &graph, (&past, &ledger))?;
    job.events.emit(EventBody::Plan(plan.pending()));
    let report = if plan.is_empty() && past.open.is_empty() {
        let absent = absent(job, &ledger, &plan);
        // Nothing runs; the last run took them away, as far as this can be told.
        job.state.note_removed(past.next - 1, (job.scope, &absent), &ledger)?;
        take_up((job, &mut ledger), &absent, &foreseen(&plan))?;
        all_unchanged(&plan)
    } else if past.open.is_empty()
        && let Some(why) = all_locked(&plan)
    {
        let absent = absent(job, &ledger, &plan);
        take_up((job, &mut ledger), &absent, &foreseen(&plan))?;
        return Ok(left_alone(job, plan, &why));
    } else if ask(&plan)? == Answer::No {
        return Err(Ended::Declined(Box::new(plan.declined())));
    } else {
        held.begins(past.next)?;
        carry_out((job, &mut ledger), &graph, &plan, past)?
    };
    let fate = match report.is_converged() || is_only_locked(job, &report) {
        true => Fate::Stays,
        false => settle_failure(job, &report)?,
    };
    job.events.emit(EventBody::Report(report.clone()));
    let is_locked = is_only_locked(job, &report);
    Ok(Done { report, plan, fate, is_locked })
}

/// A run that did not do all it was to do, because something failed or it was told to stop, is undone at once where that was asked for.
pub(super) fn settle_failure(job: &Job<'_>, report: &Report) -> Result<Fate, Failure> {
    let run = report.run.as_ref().and_then(|run| run.parse::<u64>().ok());
    let Some(run) = run.filter(|_| job.terms.on_failure == OnFailure::Rollback) else {
        return Ok(Fate::Stays);
    };
    job.events.emit(EventBody::Note { text: format!("run {run} did not do all it was to do: it is undone") });
    let left = match unwind(run, (job.system, job.state, job.sentry), job.clock) {
        Ok(Unwound::Whole) => {
            let because = "it did not do all it was to do".to_owned();
            let guard = job.state.lock_pending("apply")?;
            guard.settle(run, &Settled::Reverted(because.clone()))?;
            job.events.emit(EventBody::Reverted { run: run.to_string(), because });
            guard.clear()?;
            drop(guard);
            job.sentry.relieve()?;
            return Ok(Fate::Undone);
        }
        Ok(Unwound::InPart(left)) => left,
        Err(ended) => ended.to_string(),
    };
    job.events.emit(EventBody::Error { text: format!("not all of run {run} could be undone: {left}") });
    Ok(Fate::Stays)
}

/// A run could do nothing for what people have locked: there is none, and nobody is asked.
fn left_alone(job: &Job<'_>, plan: Plan, why: &str) -> Done {
    let text = format!("all that would change is locked, and nothing was done: {why}");
    job.events.emit(EventBody::Error { text });
    let report = plan.foreseen();
    job.events.emit(EventBody::Report(report.clone()));
    Done { report, plan, fate: Fate::Stays, is_locked: true }
}

/// How the nodes are without a run.
fn foreseen(plan: &Plan) -> Vec<After> {
    let after = |verdict: &Verdict| if *verdict == Verdict::Unchanged { After::Even } else { After::Left };
    plan.nodes.iter().map(|node| after(&node.verdict)).collect()
}

fn all_unchanged(plan: &Plan) -> Report {
    let unchanged = plan.nodes.iter().filter(|node| node.verdict == Verdict::Unchanged).count();
    Report { unchanged: unchanged as u64, ..Report::default() }
}

fn carry_out(
    (job, ledger): (&Job<'_>, &mut Ledger),
    graph: &Graph<'_>,
    plan: &Plan,
    past: Past,
) -> Result<Report, Ended> {
    let begin = Begin {
        version: JOURNAL_VERSION,
        run: past.next,
        at: (job.clock)(),
        boot: boot_id(),
        command: job.command.clone(),
        undoes: None,
        through: None,
        armed: plan.armed.as_ref().map(|stake| stake.window),
    };
    clean(job, &past)?;
    supersede(job.state, job.sentry)?;
    let mut owed = past.owed;
    // What another catalog will answer, or this run whoever it is for, is not lost.
    let is_gone = |owed: &Owed| {
        let waits = owed.answer.is_some() || ledger.is_of_another(job.scope, &owed.to);
        job.catalog.position(&owed.to).is_none() && !waits
    };
    let gone = owed.extract_if(.., is_gone).map(|owed| owed.to).collect::<Vec<_>>();
    for id in gone {
        job.events.emit(EventBody::Note {
            text: format!("{id} was owed a refresh and is no longer in the catalog"),
        });
    }
    let mut log = FileLog::begin(job.state, begin, &owed)?;
    job.events.begin(job.state, past.next)?;
    job.events.emit(EventBody::Started { run: past.next.to_string() });
    if let Err(failure) = Post::of(job).arm(past.next, plan.armed.as_ref()) {
        let report = Report { run: Some(past.next.to_string()), ..plan.declined() };
        log.end(report.clone(), &owed)?;
        return Err(Ended::Broken { report: Box::new(report), failure });
    }
    let begun = Begun { run: past.next, log, owed, before: Before::default() };
    go_on((job, ledger), graph, plan, begun)
}

/// Removes the temporary files that a run which was cut off may have left.
fn clean(job: &Job<'_>, past: &Past) -> Result<(), Failure> {
    past.open.iter().try_for_each(|(tag, op)| job.system.clean(op, tag))
}
