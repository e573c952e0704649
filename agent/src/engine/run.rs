//! Walks the graph: what is ready runs, side by side where its class allows; a failure skips what depends on it only.

use super::act::Actor;
use super::answer::answer_others;
use super::at_work::AtWork;
use super::comeback::Comeback;
use super::decide::decide;
use super::graph::{Choice, Graph, Link};
use super::log::{Faults, Log};
use super::many_files;
use super::node_run::{Desk, NodeOutcome};
use super::orphans::remove_orphans;
use super::sink::Sink;
use super::together::held_back;
use crate::kind::Class;
use crate::system::System;
use crate::undo::Keep;
use crossbeam_channel::{Receiver, Sender, unbounded};
use model::{EdgeKind, EventBody, Failure, Gather, Id, NodeStatus, Owed, Plan, Report, Step, Verdict};
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// The host and what belongs to the run.
pub struct Host<'a> {
    /// The door.
    pub system: &'a dyn System,
    /// Where before-images go.
    pub keep: &'a dyn Keep,
    /// Who watches.
    pub sink: &'a dyn Sink,
    /// What sees to it that the run goes on after a reboot; `None` where the machine is not really rebooted.
    pub comeback: Option<&'a dyn Comeback>,
    /// Becomes true when the run is to stop at the next safe point.
    pub stop: &'a AtomicBool,
    /// Faults to inject; none outside tests.
    pub faults: Faults,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// The sum.
    pub report: Report,
    /// How each node ended, in catalog order.
    pub nodes: Vec<NodeStatus>,
    /// Orphans that are gone.
    pub removed: Vec<Id>,
    /// Notifications that are still owed.
    pub owed: BTreeSet<Owed>,
    /// Why the run had to stop, where the journal could not be written: no end is recorded then.
    pub dead: Option<Failure>,
}

/// A task for a worker: nodes of one batch, and whether each is notified.
type Task = Vec<(usize, bool)>;

/// A finished node, with the milliseconds it took.
type Finished = (usize, NodeOutcome, u64);

/// What a worker hands back: its nodes, or the panic that ended it.
type Handed = std::thread::Result<Vec<Finished>>;

/// Runs what `plan` found to do. `number` names the run; `owed` is what its journal begins with.
pub fn run(
    graph: &Graph<'_>,
    (plan, choice): (&Plan, &Choice),
    host: &Host<'_>,
    log: &mut dyn Log,
    (number, owed): (u64, BTreeSet<Owed>),
) -> Outcome {
    let actor = Actor::new(host, log, number, owed.clone());
    let desk = Desk { graph, actor: &actor, fail_at_node: host.faults.fail_at_node };
    let (tasks, inbox) = unbounded::<Task>();
    let (outbox, finished) = unbounded::<Handed>();
    let mut walk = Walk::new(graph, plan, choice, host);
    std::thread::scope(|scope| {
        let hire = |number| {
            let (inbox, outbox, desk) = (inbox.clone(), outbox.clone(), &desk);
            // This one has something to tell meanwhile.
            parallel::beside_in(scope, number, move || serve(desk, &inbox, &outbox));
        };
        walk.go(&actor, (&tasks, &hire), &finished);
        drop(tasks);
    });
    let ours = graph.vertices().iter().map(|vertex| vertex.node).filter(|node| choice.takes(node));
    let ours: BTreeSet<&Id> = ours.map(|node| &node.id).collect();
    // A locked one is nobody's: it waits.
    let waits = |id: &Id| ours.contains(id) || choice.locks.on(id).is_some();
    let answered = answer_others((&actor, host), &owed, waits, &BTreeSet::new());
    let orphans = remove_orphans(&actor, plan, host);
    let mut report = Report { run: Some(number.to_string()), ..Report::default() };
    let nodes: Vec<NodeStatus> = walk.states.iter().map(NodeState::status).collect();
    let statuses = nodes.iter().chain(&answered).chain(orphans.iter().map(|(_, status)| status));
    statuses.for_each(|status| report.count(*status));
    let gone = orphans.into_iter().filter(|(_, status)| *status == NodeStatus::Changed);
    let removed = gone.map(|(id, _)| id).collect();
    Outcome { report, nodes, removed, owed: actor.owed(), dead: actor.death() }
}

fn serve(desk: &Desk<'_>, inbox: &Receiver<Task>, outbox: &Sender<Handed>) {
    for task in inbox {
        let began = Instant::now();
        // A worker that is gone without a word would be waited for for ever.
        let done = std::panic::catch_unwind(AssertUnwindSafe(|| desk.work_batch(&task)));
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let done = done.map(|done| done.into_iter().map(|(at, outcome)| (at, outcome, millis)).collect());
        // The walk has gone only when the whole run has.
        if outbox.send(done).is_err() {
            return;
        }
    }
}

/// How far a node is.
enum NodeState {
    /// Waits for this many nodes.
    Waiting(usize),
    /// At work.
    Working,
    /// Ended.
    Ended(NodeStatus),
}

impl NodeState {
    fn status(&self) -> NodeStatus {
        match self {
            Self::Ended(status) => *status,
            // Only a run that died leaves such nodes.
            Self::Waiting(_) | Self::Working => NodeStatus::Skipped,
        }
    }
}

struct Walk<'a> {
    graph: &'a Graph<'a>,
    plan: &'a Plan,
    choice: &'a Choice,
    host: &'a Host<'a>,
    states: Vec<NodeState>,
    /// True where the node, or one before it, changed the host.
    dirty: Vec<bool>,
    ready: BTreeSet<usize>,
    at_work: AtWork,
    /// How many workers there are: as many as ever had something to do at once.
    hired: usize,
    /// How many nodes each group waits for.
    group_waits: Vec<usize>,
    /// What is to be told, in order: of what needs no work while the workers are at what does.
    untold: Vec<EventBody>,
}

impl<'a> Walk<'a> {
    fn new(graph: &'a Graph<'a>, plan: &'a Plan, choice: &'a Choice, host: &'a Host<'a>) -> Self {
        let vertices = graph.vertices();
        let states = vertices.iter().map(|vertex| NodeState::Waiting(vertex.before.len())).collect();
        let groups = graph.groups();
        let group_waits = groups.all().iter().map(|group| group.waits.len()).collect();
        let is_ready = |at: &usize| match groups.group_of(*at) {
            Some(group) => group.waits.is_empty(),
            None => vertices[*at].before.is_empty(),
        };
        let ready = (0..vertices.len()).filter(is_ready).collect();
        let dirty = vec![false; vertices.len()];
        Self {
            graph,
            plan,
            choice,
            host,
            states,
            dirty,
            ready,
            at_work: AtWork::default(),
            hired: 0,
            group_waits,
            untold: Vec::new(),
        }
    }

    /// `hire` has one more worker take tasks, of which it is told the number.
    fn go(
        &mut self,
        actor: &Actor<'_>,
        (tasks, hire): (&Sender<Task>, &dyn Fn(usize)),
        finished: &Receiver<Handed>,
    ) {
        loop {
            self.start(actor, tasks);
            (self.hired..self.at_work.tasks()).for_each(|before| hire(before + 1));
            self.hired = self.hired.max(self.at_work.tasks());
            self.tell();
            if self.at_work.is_empty() {
                return;
            }
            // Workers live as long as `tasks` does.
            let Ok(done) = finished.recv() else { return };
            // A panic is a bug: it goes on to the top, and the next run takes up what the journal has.
            let done = done.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let nodes: Vec<usize> = done.iter().map(|(at, ..)| *at).collect();
            self.at_work.end(&self.classes(nodes.iter().copied()), self.weight(&nodes));
            for (at, outcome, millis) in done {
                self.end(at, &outcome, millis);
            }
            // What was done is told before anything else is.
            self.tell();
        }
    }

    fn tell(&mut self) {
        self.host.sink.emit_all(std::mem::take(&mut self.untold));
    }

    /// Settles what needs no work and starts what may run now.
    fn start(&mut self, actor: &Actor<'_>, tasks: &Sender<Task>) {
        while self.settle(actor) {}
        for at in self.ready.clone() {
            let waits = self.class(at) == Class::Alone && !self.is_last();
            if waits || !self.ready.contains(&at) || !self.at_work.has_room(&self.classes([at]), 1) {
                continue;
            }
            let batch = self.batch(at);
            let classes = self.classes(batch.iter().copied());
            let weight = self.weight(&batch);
            if !self.at_work.has_room(&classes, weight) {
                continue;
            }
            if classes.contains(&Class::Alone) {
                // It may be a reboot, after which nobody could tell.
                self.tell();
            }
            self.at_work.begin(&classes, weight);
            let task: Task = batch.iter().map(|at| (*at, self.is_notified(*at))).collect();
            for at in batch {
                self.ready.remove(&at);
                self.states[at] = NodeState::Working;
                self.untold.push(EventBody::Working { id: self.graph.vertices()[at].node.id.clone() });
            }
            if tasks.send(task).is_err() {
                return;
            }
        }
    }

    /// Ends what is ready and needs no work, in order; true where that was any, so that there may be more.
    fn settle(&mut self, actor: &Actor<'_>) -> bool {
        let (mut from, mut any) = (0, false);
        let idle = |walk: &Self, at: &usize| walk.idle_outcome(*at, actor).map(|outcome| (*at, outcome));
        while let Some((at, outcome)) = self.ready.range(from..).find_map(|at| idle(self, at)) {
            self.ready.remove(&at);
            self.end(at, &outcome, 0);
            (from, any) = (at + 1, true);
        }
        any
    }

    /// What goes in one task with the node: packages in one transaction, files of which no more is to be written, and the nodes of a group.
    fn batch(&self, at: usize) -> Vec<usize> {
        let groups = self.graph.groups();
        let group = groups.number_of(at);
        if self.is_plain(at) {
            let plain = self.ready.range(at..).copied().filter(|other| self.is_plain(*other));
            return plain.take(many_files::MOST).collect();
        }
        if group.is_none() && self.class(at) != Class::Packages {
            return vec![at];
        }
        let goes_with = |other: &usize| {
            *other == at
                || (self.class(at) == Class::Packages && self.class(*other) == Class::Packages)
                || (group.is_some() && groups.number_of(*other) == group)
        };
        self.ready.iter().copied().filter(goes_with).collect()
    }

    /// As how many tasks one with these nodes counts: each of many files has something open.
    fn weight(&self, nodes: &[usize]) -> usize {
        let are_plain = nodes.len() > 1 && nodes.iter().all(|at| self.is_plain(*at));
        if are_plain { many_files::WEIGHT } else { 1 }
    }

    /// True where the plan has it write a file and no more.
    fn is_plain(&self, at: usize) -> bool {
        self.graph.groups().number_of(at).is_none()
            && self.class(at) == Class::Files
            && self.plan.nodes.get(at).is_some_and(|node| many_files::is_plain(&node.steps))
    }

    fn classes(&self, nodes: impl IntoIterator<Item = usize>) -> BTreeSet<Class> {
        nodes.into_iter().map(|at| self.class(at)).gather()
    }

    /// True where nothing but nodes that are worked on alone is left to do for now.
    fn is_last(&self) -> bool {
        self.at_work.is_empty() && self.ready.iter().all(|at| self.class(*at) == Class::Alone)
    }

    fn class(&self, at: usize) -> Class {
        self.graph.vertices()[at].class
    }

    /// How the node ends without any work; `None` where it has to be worked on.
    fn idle_outcome(&self, at: usize, actor: &Actor<'_>) -> Option<NodeOutcome> {
        let vertex = &self.graph.vertices()[at];
        let skipped = |because: String| Some(NodeOutcome::because(NodeStatus::Skipped, because));
        if !self.choice.takes(vertex.node) {
            return Some(NodeOutcome::plain(NodeStatus::LeftOut));
        }
        if let Some(link) = vertex.before.iter().find(|link| self.blocks(link)) {
            return skipped(format!("blocked by {}", self.graph.vertices()[link.at].node.id));
        }
        if let Some(failure) = actor.death() {
            return skipped(format!("the run could not go on: {failure}"));
        }
        if self.host.stop.load(Ordering::Relaxed) {
            return skipped("the run was told to stop".to_owned());
        }
        let was_fine = self.plan.nodes.get(at).is_some_and(|node| node.verdict == Verdict::Unchanged);
        // Of its own group one may be before it that has not ended.
        let has_ended = |link: &Link| matches!(self.states[link.at], NodeState::Ended(_));
        let untouched = vertex.before.iter().all(|link| has_ended(link) && !self.dirty[link.at]);
        let forced = self.host.faults.fail_at_node == Some(at);
        if was_fine && untouched && !forced && !actor.is_owed(&vertex.node.id) {
            return Some(NodeOutcome::plain(NodeStatus::Unchanged));
        }
        if let Some(because) = self.lock_on(at, actor) {
            self.choice.locks.meet();
            return skipped(because);
        }
        let mates = self.graph.groups().group_of(at).map_or(&[][..], |group| &group.members);
        let culprit = mates.iter().find(|mate| self.is_bad(**mate))?;
        skipped(held_back(&self.graph.vertices()[*culprit].node.id))
    }

    /// Why a node that would change is not to; one that cannot be told fails where it is worked on.
    fn lock_on(&self, at: usize, actor: &Actor<'_>) -> Option<String> {
        let vertex = &self.graph.vertices()[at];
        let because = self.choice.locks.on(&vertex.node.id)?;
        let is_some = |steps: Result<Vec<Step>, Failure>| steps.is_ok_and(|steps| !steps.is_empty());
        let is_due = self.is_notified(at) || actor.is_owed(&vertex.node.id);
        let would_change = is_some(decide(vertex, actor.host()))
            || (is_due && is_some(vertex.resource.refresh(actor.host())));
        would_change.then(|| because.to_owned())
    }

    fn blocks(&self, link: &Link) -> bool {
        self.is_bad(link.at)
    }

    fn is_bad(&self, at: usize) -> bool {
        let bad = |status| matches!(status, NodeStatus::Failed | NodeStatus::Skipped | NodeStatus::Unknown);
        matches!(self.states[at], NodeState::Ended(status) if bad(status))
    }

    fn is_notified(&self, at: usize) -> bool {
        let changed = |link: &Link| matches!(self.states[link.at], NodeState::Ended(NodeStatus::Changed));
        let vertex = &self.graph.vertices()[at];
        vertex.before.iter().any(|link| link.kind == EdgeKind::Notify && changed(link))
    }

    fn end(&mut self, at: usize, outcome: &NodeOutcome, millis: u64) {
        let vertex = &self.graph.vertices()[at];
        self.dirty[at] = outcome.acted || vertex.before.iter().any(|link| self.dirty[link.at]);
        self.states[at] = NodeState::Ended(outcome.status);
        let groups = self.graph.groups();
        for number in groups.waiting_for(at) {
            self.group_waits[*number] -= 1;
            if self.group_waits[*number] == 0 {
                self.ready.extend(&groups.all()[*number].members);
            }
        }
        for link in vertex.after.iter().filter(|link| groups.number_of(link.at).is_none()) {
            if let NodeState::Waiting(count) = &mut self.states[link.at] {
                *count -= 1;
                if *count == 0 {
                    self.ready.insert(link.at);
                }
            }
        }
        self.untold.push(EventBody::Node {
            id: vertex.node.id.clone(),
            origin: vertex.node.origins.first().cloned(),
            status: outcome.status,
            changes: outcome.changes.clone(),
            because: outcome.because.clone(),
            millis,
        });
    }
}
