//! Which runs a rollback is about, and what they did together. A damaged journal cannot be trusted to bring things back: it is refused by name.

use super::cut_off::complete;
use super::job::Rollback;
use super::skeleton;
use crate::state::{Read, StateDir};
use model::{Act, Begin, Failure, Gather, Op, Outcome, Status};
use std::collections::{BTreeMap, BTreeSet};
use wire::Which;

/// The runs that are rolled back.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    /// The first of them.
    pub(super) first: u64,
    /// The last of them, where they are several.
    pub(super) through: Option<u64>,
    /// What they did, as if it had been one run.
    pub(super) status: Status,
    /// Attempts to roll back one run that came to no good end, after which nothing else was done.
    pub(super) attempts: Vec<Status>,
}

impl Span {
    /// In words, for the journal.
    pub(super) fn words(&self) -> String {
        match self.through {
            None => format!("run {}", self.first),
            Some(last) => format!("runs {} to {last}", self.first),
        }
    }
}

/// What `rollback` is about.
pub(super) fn find(rollback: &Rollback<'_>) -> Result<Span, Failure> {
    let state = rollback.state;
    let mut span = match rollback.which {
        Which::One(run) => one(state, run)?,
        Which::After(run) => after(state, run)?,
        Which::Last => last(state)?,
    };
    complete(rollback, &mut span.status, span.through.unwrap_or(span.first))?;
    skeleton::complete(rollback, &mut span.status)?;
    Ok(span)
}

fn one(state: &StateDir, run: u64) -> Result<Span, Failure> {
    let Some(status) = whole(state, run)? else {
        return Err(Failure::Missing { what: format!("run {run}") });
    };
    let mut attempts = Vec::new();
    for later in state.numbers()?.into_iter().rev().take_while(|later| *later > run) {
        match state.status(later)? {
            Read::Nothing => {}
            Read::Whole(attempt) if undone(&attempt) == Some((run, None)) => attempts.push(*attempt),
            Read::Whole(_) | Read::Damaged(..) => break,
        }
    }
    Ok(Span { first: run, through: None, status, attempts })
}

/// All after `run`, taken as one: of each thing the first before-image is what it was then.
fn after(state: &StateDir, run: u64) -> Result<Span, Failure> {
    if whole(state, run)?.is_none() {
        return Err(Failure::Missing { what: format!("run {run}") });
    }
    let mut runs = Vec::new();
    for later in state.numbers()?.into_iter().filter(|later| *later > run) {
        runs.extend(whole(state, later)?);
    }
    let first = runs.first().map_or(run + 1, Status::run);
    let through = runs.last().map(Status::run).filter(|last| *last != first);
    Ok(Span { first, through, status: together(runs), attempts: Vec::new() })
}

/// The last run that did anything; where that is a rollback that was cut off, what it was to roll back.
fn last(state: &StateDir) -> Result<Span, Failure> {
    for run in state.numbers()?.into_iter().rev() {
        return match state.status(run)? {
            // Its directory was made and its journal was not: it has changed nothing.
            Read::Nothing => continue,
            Read::Whole(status) if status.end.is_none() => match undone(&status) {
                None => one(state, run),
                Some((run, None)) => one(state, run),
                Some((first, Some(_))) => after(state, first.saturating_sub(1)),
            },
            Read::Whole(_) | Read::Damaged(..) => one(state, run),
        };
    }
    Err(Failure::Missing { what: "a run that could be rolled back".to_owned() })
}

/// What a run did; `None` where it has no journal, and so did nothing.
fn whole(state: &StateDir, run: u64) -> Result<Option<Status>, Failure> {
    match state.status(run)? {
        Read::Whole(status) => Ok(Some(*status)),
        Read::Nothing => Ok(None),
        Read::Damaged(_, why) => {
            let why = format!("the journal of run {run} is damaged: {why}");
            Err(Failure::refused(why, "restore what it changed from a backup"))
        }
    }
}

fn undone(status: &Status) -> Option<(u64, Option<u64>)> {
    status.begin.as_ref().and_then(|begin| Some((begin.undoes?, begin.through)))
}

/// Several runs as one, in order. A command that a rollback among them has undone is left out, and its undoing with it.
fn together(runs: Vec<Status>) -> Status {
    let numbers: BTreeSet<u64> = runs.iter().map(Status::run).gather();
    let mut acts: Vec<(u64, Act)> = Vec::new();
    for run in &runs {
        let span = undone(run).map(|(first, through)| first..=through.unwrap_or(first));
        for act in run.acts.values() {
            let (Op::Run(command), Some(span)) = (&act.op, &span) else {
                acts.push((run.run(), act.clone()));
                continue;
            };
            let undid = |(of, done): &(u64, Act)| {
                let is_it = |done: &Op| matches!(done, Op::Run(done) if done.undo == command.argv);
                span.contains(of) && done.nodes == act.nodes && is_it(&done.op)
            };
            let back = matches!(act.outcome, Outcome::Done(..)).then(|| acts.iter().rposition(undid));
            match back.flatten() {
                Some(at) => drop(acts.remove(at)),
                // What was undone lies before these runs, and would have to be done again; or the undoing failed.
                None if span.clone().all(|run| !numbers.contains(&run)) => {
                    acts.push((run.run(), act.clone()))
                }
                None => {}
            }
        }
    }
    let acts: BTreeMap<u64, Act> = (1..).zip(acts.into_iter().map(|(_, act)| act)).gather();
    let begin = runs.last().and_then(|run| run.begin.clone()).map(|begin| Begin {
        undoes: None,
        through: None,
        armed: None,
        ..begin
    });
    Status { begin, acts, owed: BTreeSet::new(), resumed: Vec::new(), end: None }
}
