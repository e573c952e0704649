//! One order, from its words to its ending. Every piece of work comes to a report, its last event; only what is asked for in
//! other form, the runs, comes as a reply.

use super::attach::attach;
use super::confirm::confirm;
use super::ending::{of_drift, of_plan, of_rehearsal, of_report};
use super::means::Means;
use super::{checks, drill, keeping, locks, needed};
use crate::detached::Posted;
use crate::detached::scope::departure;
use crate::engine::{Choice, Faults, Locks, Sink};
use crate::os::host::{Attendance, Host};
use crate::os::moving::Until;
use crate::session::{self, Answer, Drift, Ended, Fate, Job, Rollback};
use crate::state::{EventLog, Read};
use model::{EventBody, Failure, Plan, Report, RunSummary};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Scope;
use wire::{Ending, Order, Reply, Terms, Which, Work};

/// Carries out `order` on this host. The running program must play [`crate::rehearse::Stage`]s when it is started as one.
pub fn perform(order: &Order, means: &Means<'_>) -> Ending {
    match order {
        Order::Plan(work) => on(work, means, plan),
        Order::Drift(work) => on(work, means, drift),
        Order::Apply(work) => on(work, means, apply),
        Order::Rehearse(work) => on(work, means, |job, means| rehearse(work, job, means)),
        Order::Rollback(order) => {
            let drift = if order.force { Drift::Overwrite } else { Drift::Refuse };
            let mode = if order.forecast { Mode::Shown } else { Mode::Done };
            rollback((order.which, drift, mode), &order.terms, means)
        }
        Order::Attach { run, from } => attach((*run, *from), means).unwrap_or_else(Ending::Refused),
        Order::Confirm { run } => confirm(*run, means),
        Order::Lock(lock) => locks::lock(lock, means).unwrap_or_else(Ending::Refused),
        Order::Unlock { resource } => {
            locks::unlock(resource.as_deref(), means).unwrap_or_else(Ending::Refused)
        }
        Order::Locks => locks::locks(means).unwrap_or_else(Ending::Refused),
        Order::Keeping => keeping::keeping(means).unwrap_or_else(Ending::Refused),
        Order::Settings { path } => keeping::settings(path, means).unwrap_or_else(Ending::Refused),
        Order::Pause(pause) => keeping::pause(pause, means).unwrap_or_else(Ending::Refused),
        Order::Resume => keeping::resume(means).unwrap_or_else(Ending::Refused),
        Order::History => history(means).unwrap_or_else(Ending::Refused),
        Order::Show { run } => show(*run, means).unwrap_or_else(Ending::Refused),
        Order::Check(wanted) => checks::check(wanted, means).unwrap_or_else(Ending::Refused),
        Order::Drill(fault) => drill::begin(fault, means).unwrap_or_else(Ending::Refused),
        Order::EndDrill { name, by } => drill::end((name, by), means).unwrap_or_else(Ending::Refused),
        Order::Facts => Ending::Unchanged,
    }
}

/// Whether a rollback is carried out.
enum Mode {
    Shown,
    Done,
}

/// Makes a job of `work` and calls `act` with it.
fn on(
    work: &Work,
    means: &Means<'_>,
    act: impl FnOnce(&Job<'_>, &Means<'_>) -> Result<Ending, Ended>,
) -> Ending {
    let events = EventLog::new(means.watch, means.clock);
    let tell = |body| events.emit(body);
    let host = Host::attended(Arc::clone(&means.blobs), Attendance { tell: &tell, stop: means.stop });
    host.mask(means.secrets);
    let job = Job {
        catalog: &work.catalog,
        secrets: means.secrets,
        blobs: &*means.blobs,
        kinds: crate::kinds::LIVE,
        scope: &work.scope,
        choice: Choice {
            only: work.only.clone(),
            skip: work.skip.clone(),
            locks: Locks::honoured(),
            ..Choice::default()
        },
        system: &host,
        state: means.state,
        events: &events,
        clock: means.clock,
        command: work.command.clone(),
        terms: &work.terms,
        sentry: &Posted::of(means.state),
        stop: means.stop,
        faults: Faults::default(),
    };
    let nodes = work.catalog.nodes().len() as u64;
    act(&job, means).unwrap_or_else(|ended| give_up(ended, &events, nodes))
}

fn plan(job: &Job<'_>, _: &Means<'_>) -> Result<Ending, Ended> {
    let plan = session::plan(job)?;
    job.events.emit(EventBody::Plan(plan.pending()));
    job.events.emit(EventBody::Report(plan.foreseen()));
    Ok(of_plan(&plan))
}

fn drift(job: &Job<'_>, means: &Means<'_>) -> Result<Ending, Ended> {
    let found = session::drift(job)?;
    let ending = of_drift(&found);
    means.controller.reply(Reply::Drift(found))?;
    Ok(ending)
}

fn apply(job: &Job<'_>, means: &Means<'_>) -> Result<Ending, Ended> {
    let done = std::thread::scope(|beside| {
        let _here = Until;
        session::apply(job, &|plan| match means.controller.bring(&needed::by_plan(job.catalog, plan)) {
            Err(_) if is_stopped(means) => Ok(Answer::No),
            brought => brought.and_then(|()| ask(plan, (job.events, means), beside)),
        })
    })?;
    Ok(match done.fate {
        Fate::Undone => Ending::Reverted,
        Fate::Stays if done.is_locked => Ending::Locked,
        Fate::Stays => of_report(&done.report),
    })
}

/// To be told to stop before anything has begun is a no. With a yes the run is the host's own, and leaves who asked for it unless it ends
/// soon; it begins meanwhile, but starts no program before it has left.
fn ask<'scope, 'a: 'scope>(
    plan: &Plan,
    (events, means): (&'a EventLog<'_>, &Means<'_>),
    beside: &'scope Scope<'scope, 'a>,
) -> Result<Answer, Failure> {
    let answer = if is_stopped(means) { Answer::No } else { means.controller.ask(plan)? };
    if answer == Answer::No || is_stopped(means) {
        return Ok(Answer::No);
    }
    let tell = |failure: Failure| {
        let text = format!("the run stays in the login session that it was started from: {failure}");
        events.emit_unless_ended(EventBody::Note { text });
    };
    let run = means.state.next_run()?;
    match departure(means.state, run) {
        Ok(Some(departure)) => {
            beside.spawn(move || departure.leave(run).map_err(tell));
        }
        Ok(None) => {}
        Err(failure) => tell(failure),
    }
    Ok(Answer::Yes)
}

fn is_stopped(means: &Means<'_>) -> bool {
    means.stop.load(Ordering::SeqCst)
}

fn rehearse(work: &Work, job: &Job<'_>, means: &Means<'_>) -> Result<Ending, Ended> {
    means.controller.bring(&work.contents())?;
    let found = crate::rehearse::rehearse(job)?;
    let (ending, report) = (of_rehearsal(&found), found.report.clone());
    job.events.emit(EventBody::Rehearsal(Box::new(found)));
    job.events.emit(EventBody::Report(report));
    Ok(ending)
}

fn rollback((which, drift, mode): (Which, Drift, Mode), terms: &Terms, means: &Means<'_>) -> Ending {
    // What is brought back comes out of the host's own store.
    let events = EventLog::new(means.watch, means.clock);
    let tell = |body| events.emit(body);
    let host = Host::attended(Arc::new(means.state.store()), Attendance { tell: &tell, stop: means.stop });
    let work = Rollback {
        which,
        drift,
        locks: Locks::honoured(),
        terms,
        sentry: &Posted::of(means.state),
        system: &host,
        state: means.state,
        events: &events,
        clock: means.clock,
        stop: means.stop,
    };
    let done = match mode {
        Mode::Shown => session::plan_rollback(&work).map_err(Ended::from).map(|plan| {
            let (ending, report) = (of_plan(&plan), plan.foreseen());
            events.emit(EventBody::Plan(plan));
            events.emit(EventBody::Report(report));
            ending
        }),
        Mode::Done => std::thread::scope(|beside| {
            let _here = Until;
            let ask = |plan: &Plan| ask(plan, (&events, means), beside);
            session::rollback(&work, &ask).map(|report| of_report(&report))
        }),
    };
    // What a rollback is about stands in a journal that could not be read then: there is nothing to count.
    done.unwrap_or_else(|ended| give_up(ended, &events, 0))
}

/// Work that came to no report of its own gets one: what nobody looked at is unknown.
fn give_up(ended: Ended, events: &EventLog<'_>, nodes: u64) -> Ending {
    let unseen = Report { unknown: nodes, ..Report::default() };
    let text = ended.to_string();
    let (ending, body, report) = match ended {
        Ended::Locked(_) | Ended::SoftLocked(_) => (Ending::Locked, EventBody::Error { text }, unseen),
        Ended::Declined(report) => (Ending::Declined, EventBody::Note { text }, *report),
        Ended::Failed(_) => (Ending::Failed, EventBody::Error { text }, unseen),
        Ended::Broken { report, .. } => (Ending::Failed, EventBody::Error { text }, *report),
    };
    events.emit(body);
    events.emit(EventBody::Report(report));
    ending
}

fn history(means: &Means<'_>) -> Result<Ending, Failure> {
    let runs = means.state.history()?;
    let ending = if runs.iter().all(RunSummary::is_whole) { Ending::Unchanged } else { Ending::Failed };
    means.controller.reply(Reply::History(runs))?;
    Ok(ending)
}

fn show(run: Option<u64>, means: &Means<'_>) -> Result<Ending, Failure> {
    let last = means.state.numbers()?.last().copied();
    let Some(run) = run.or(last) else {
        return Err(Failure::refused("there has been no run on this machine", "`keel apply` makes one"));
    };
    let (status, damage) = match means.state.status(run)? {
        Read::Nothing => {
            return Err(Failure::refused(format!("there is no run {run}"), "`keel history` lists them"));
        }
        Read::Whole(status) => (status, None),
        Read::Damaged(status, why) => {
            (status, Some(format!("the journal of run {run} is damaged after this: {why}")))
        }
    };
    let after = means.state.aftermath(run)?;
    let is_whole = damage.is_none() && after.unclear.is_none();
    let ending = if is_whole { Ending::Unchanged } else { Ending::Failed };
    means.controller.reply(Reply::Run { status, damage, after })?;
    Ok(ending)
}
