//! Puts the nodes of a group in place together: decides all of them as if those before were done, and has what they change staged,
//! checked and swapped in one op. All of them, or none: one that cannot be decided or fails holds back the others.
//!
//! `groups` says which they are. What is no file or link, such as a new directory or an owner, changes by itself.

use super::act::{Ended, Terms};
use super::decide::decide;
use super::groups::Group;
use super::node_run::{Desk, NodeOutcome, deadline};
use crate::system::{EntryKind, Layer, Look, System};
use crate::undo::Secrecy;
use model::{Failure, Gather, HostPath, Id, NodeStatus, Op, Step, Together};
use std::collections::{BTreeMap, BTreeSet};

/// How a node takes part in its group.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    /// It is as wanted.
    Nothing,
    /// What it changes is staged; after the swap come the steps that are no change of a name.
    Staged,
    /// What it changes is no configuration: it goes by itself.
    Alone,
}

/// A node of a group, whether it is notified, how it takes part, and its steps.
type Member = (usize, bool, Part, Vec<Step>);

/// The name that an op gives something new or takes away.
pub(super) fn name_of(op: &Op) -> Option<&HostPath> {
    match op {
        Op::WriteFile { path, .. } | Op::MakeSymlink { path, .. } | Op::Remove { path } => Some(path),
        _ => None,
    }
}

/// How a node with these steps takes part. What stands in the way of something new is refused: it cannot be staged.
pub(super) fn part(steps: &[Step], system: &dyn System) -> Result<Part, Failure> {
    let mut changes = steps.iter().filter(|step| step.op != Op::ReloadManager).peekable();
    if changes.peek().is_none() {
        return Ok(if steps.is_empty() { Part::Nothing } else { Part::Alone });
    }
    let mut other = None;
    for step in changes {
        let stands = match name_of(&step.op) {
            Some(path) => system.look(path, Look::Bare)?.map(|entry| entry.kind),
            None => Some(EntryKind::Directory),
        };
        if !matches!(stands, None | Some(EntryKind::File { .. } | EntryKind::Symlink { .. })) {
            other = Some(step);
        }
    }
    let brings = |step: &Step| matches!(step.op, Op::WriteFile { .. } | Op::MakeSymlink { .. });
    match other {
        None => Ok(Part::Staged),
        // What the kernel is told cannot be staged, and no service reads the file that tells it at boot.
        Some(_) if steps.iter().any(|step| is_told_to_the_kernel(&step.op)) => Ok(Part::Alone),
        Some(other) if steps.iter().any(brings) => {
            let why = format!("`{}` cannot be checked together with what a service reads", other.op);
            Err(Failure::refused(why, "do it by hand first, or leave out `check` of the service"))
        }
        Some(_) => Ok(Part::Alone),
    }
}

fn is_told_to_the_kernel(op: &Op) -> bool {
    matches!(op, Op::SetSysctl { .. } | Op::Mount { .. } | Op::Remount { .. } | Op::Unmount { .. })
}

/// Why a node of a group is not tried.
pub(super) fn held_back(culprit: &Id) -> String {
    format!("checked together with {culprit}, which cannot be had")
}

impl Desk<'_> {
    /// Works on the nodes of `group` that may have something to do.
    pub(super) fn work_group(&self, group: &Group, batch: &[(usize, bool)]) -> Vec<(usize, NodeOutcome)> {
        let members = match self.members(batch) {
            Ok(members) => members,
            Err((culprit, ended)) => {
                let mut outcomes = self.hold_back(batch.iter().map(|(at, _)| *at), culprit);
                outcomes.insert(culprit, failed(ended));
                return outcomes.into_iter().gather();
            }
        };
        let behind = self.behind(&members);
        let mut outcomes: BTreeMap<usize, NodeOutcome> = BTreeMap::new();
        let alone = |member: &&Member| member.2 == Part::Alone;
        for (at, notified, ..) in members.iter().filter(alone).filter(|member| !behind.contains(&member.0)) {
            let outcome = self.work(*at, *notified);
            let is_bad = !outcome.because.is_empty();
            outcomes.insert(*at, outcome);
            if is_bad {
                let rest = members.iter().map(|member| member.0).filter(|at| !outcomes.contains_key(at));
                outcomes.append(&mut self.hold_back(rest.collect::<Vec<_>>(), *at));
                return outcomes.into_iter().gather();
            }
        }
        let swapped = self.swap(group, &members);
        for (at, notified, part, steps) in members {
            let outcome = match (part, &swapped) {
                (Part::Staged, Err(failure)) => NodeOutcome::plain(NodeStatus::Unchanged).fail(failure),
                (Part::Alone, Err(failure)) if behind.contains(&at) => {
                    NodeOutcome::because(NodeStatus::Skipped, format!("what comes before failed: {failure}"))
                }
                (Part::Alone, _) if outcomes.contains_key(&at) => continue,
                (Part::Alone, _) => self.work(at, notified),
                (Part::Staged, Ok(())) => self.conclude(at, notified, &steps),
                (Part::Nothing, _) => self.conclude(at, notified, &[]),
            };
            outcomes.insert(at, outcome);
        }
        outcomes.into_iter().gather()
    }

    /// Decides each as if those before it were done; the one that cannot be, and why.
    fn members(&self, batch: &[(usize, bool)]) -> Result<Vec<Member>, (usize, Ended)> {
        let layer = Layer::over(self.actor.host());
        let mut members = Vec::with_capacity(batch.len());
        for (at, notified) in batch.iter().copied() {
            let decided = || {
                if self.fail_at_node == Some(at) {
                    return Err(Failure::refused("injected failure", "take the fault out"));
                }
                let steps = decide(&self.graph.vertices()[at], &layer)?;
                let part = part(&steps, &layer)?;
                steps.iter().try_for_each(|step| layer.predict(&step.op).map(drop))?;
                Ok((at, notified, part, steps))
            };
            members.push(decided().map_err(|failure| (at, Ended::Failed(failure)))?);
        }
        Ok(members)
    }

    /// What is staged, and what comes after it.
    fn behind(&self, members: &[Member]) -> BTreeSet<usize> {
        let mut behind = BTreeSet::new();
        for (at, _, part, _) in members {
            let mut before = self.graph.vertices()[*at].before.iter();
            if *part == Part::Staged || before.any(|link| behind.contains(&link.at)) {
                behind.insert(*at);
            }
        }
        behind
    }

    fn hold_back(
        &self,
        rest: impl IntoIterator<Item = usize>,
        culprit: usize,
    ) -> BTreeMap<usize, NodeOutcome> {
        let because = held_back(&self.graph.vertices()[culprit].node.id);
        rest.into_iter().map(|at| (at, NodeOutcome::because(NodeStatus::Skipped, because.clone()))).gather()
    }

    fn swap(&self, group: &Group, members: &[Member]) -> Result<(), Failure> {
        let staged = || members.iter().filter(|(_, _, part, _)| *part == Part::Staged);
        let mut changes: Vec<(Id, Op)> = Vec::new();
        for (at, _, _, steps) in staged() {
            let id = &self.graph.vertices()[*at].node.id;
            steps.iter().filter(|step| name_of(&step.op).is_some()).for_each(|step| {
                add(&mut changes, (id.clone(), step.op.clone()));
            });
        }
        if changes.is_empty() {
            return Ok(());
        }
        let vertices = || staged().map(|(at, ..)| &self.graph.vertices()[*at]);
        let owed = self.actor.owed();
        self.owe_all(vertices()).map_err(Ended::failure)?;
        let secret = vertices().any(|vertex| vertex.secrecy == Secrecy::Secret);
        let secrecy = if secret { Secrecy::Secret } else { Secrecy::Open };
        let (nodes, changes): (Vec<Id>, Vec<Op>) = changes.into_iter().unzip();
        let terms = Terms { nodes: &nodes, secrecy, timeout: vertices().filter_map(deadline).max() };
        let op = Op::Together(Together { changes, checks: group.checks.clone() });
        let before = self.actor.looks(&op, &terms)?;
        let Err(ended) = self.actor.act(&op, &terms) else { return Ok(()) };
        // What was rejected was never there, and nobody has anything to read again. Where that cannot be told, it stays owed.
        if self.actor.looks(&op, &terms).is_ok_and(|now| now == before) {
            let from: Vec<Id> = vertices().map(|vertex| vertex.node.id.clone()).collect();
            self.actor.withdraw(&from, &owed).map_err(Ended::failure)?;
        }
        Err(ended.failure())
    }

    /// Verifies a node whose changes of names are done, and answers what it is owed.
    pub(super) fn conclude(&self, at: usize, notified: bool, steps: &[Step]) -> NodeOutcome {
        let vertex = &self.graph.vertices()[at];
        let mut outcome = NodeOutcome::plain(NodeStatus::Unchanged);
        if !steps.is_empty() {
            outcome.status = NodeStatus::Changed;
            outcome.acted = true;
        }
        let (swapped, others): (Vec<Step>, Vec<Step>) =
            steps.iter().cloned().partition(|step| name_of(&step.op).is_some());
        outcome.changes.extend(swapped.iter().map(ToString::to_string));
        let done = self.take(vertex, &others, &mut outcome).and_then(|()| self.verify(vertex));
        let due = notified || self.actor.is_owed(&vertex.node.id);
        let done = done.and_then(|()| if due { self.refresh(vertex, false, &mut outcome) } else { Ok(()) });
        match done {
            Ok(()) => outcome,
            Err(ended) => outcome.fail(&ended.failure()),
        }
    }
}

fn failed(ended: Ended) -> NodeOutcome {
    NodeOutcome::plain(NodeStatus::Unchanged).fail(&ended.failure())
}

/// Of several changes of one name only the last is seen; what was to validate the file still does.
fn add(changes: &mut Vec<(Id, Op)>, (id, mut op): (Id, Op)) {
    let same = changes.iter().position(|(_, other)| name_of(other) == name_of(&op));
    if let Some((_, earlier)) = same.map(|at| changes.remove(at))
        && let (Op::WriteFile { validate, .. }, Op::WriteFile { validate: kept, .. }) = (earlier, &mut op)
        && kept.is_empty()
    {
        *kept = validate;
    }
    changes.push((id, op));
}
