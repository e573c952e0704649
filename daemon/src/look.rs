//! One look at some nodes of the site, and what is done about what is found: a session of the engine like anybody's. Which of what
//! differs is left as it is, `rule` says; here it is only minded.

use crate::source::Site;
use agent::detached::Posted;
use agent::engine::Sink;
use agent::engine::{Choice, Faults, Locks, Part};
use agent::os::host::{Attendance, Host};
use agent::session::{self, Answer, Clock, Ended, Job};
use agent::state::{EventLog, StateDir};
use model::{Because, EventBody, Id, NodeStatus, Orphan, Plan, PlannedNode, Report, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What a look needs.
pub struct Look<'a> {
    /// The site.
    pub site: &'a Site,
    /// The host's state.
    pub state: &'a StateDir,
    /// The time.
    pub clock: Clock<'a>,
    /// Becomes true when a run is to stop at its next safe point.
    pub stop: &'a AtomicBool,
}

/// Why something is left as it is; `None` where it is put right.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// A node that differs.
    pub node: &'a dyn Fn(&PlannedNode) -> Option<String>,
    /// What left the catalog, and would be removed.
    pub orphan: &'a dyn Fn(&Orphan) -> Option<String>,
}

/// Whether anything may be changed at all, or why not.
pub type Leave<'a> = Result<Rules<'a>, &'a str>;

/// What came of it.
#[derive(Debug, Default)]
pub struct Looked {
    /// What differed, and what would be done about it, a line each.
    pub differing: BTreeMap<Id, Vec<String>>,
    /// Why it differed.
    pub because: BTreeMap<Id, Because>,
    /// What of that was left, and why.
    pub left: BTreeMap<Id, String>,
    /// How the nodes of the run ended.
    pub ended: BTreeMap<Id, NodeEnd>,
    /// What could not be told, or is not allowed to be as it is, and why.
    pub failed: BTreeMap<Id, String>,
    /// The sum.
    pub report: Report,
    /// What the operator should know.
    pub notes: Vec<String>,
    /// Whether it came to its end.
    pub end: End,
    /// How long it took.
    pub millis: u64,
}

/// How a node of a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEnd {
    /// The word for it.
    pub status: NodeStatus,
    /// What was done, a line each.
    pub changes: Vec<String>,
    /// Why it failed or was skipped.
    pub because: String,
}

/// Whether a look came to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// It did.
    #[default]
    Whole,
    /// Another run has the host; who.
    Busy(String),
    /// People have locked the host; who and why.
    Locked(String),
    /// It could not be done.
    Failed(String),
}

/// So often what is left is left out, and the rest planned again.
const ROUNDS: usize = 4;

impl Look<'_> {
    /// Looks at `part`, and puts right what may be.
    pub fn at(&self, part: Part, leave: Leave<'_>) -> Looked {
        let (start, looked) = (Instant::now(), Mutex::new(Looked::default()));
        let mut part = part;
        for _ in 0..ROUNDS {
            let before = lock(&looked).left.len();
            let answer = |plan: &Plan| {
                let mut looked = lock(&looked);
                match leave {
                    Err(why) => {
                        let all = looked.differing.keys().cloned().collect::<Vec<_>>();
                        looked.left.extend(all.into_iter().map(|id| (id, why.to_owned())));
                    }
                    Ok(Rules { node, orphan }) => {
                        let moving = plan.nodes.iter().filter(|node| moves(&node.verdict));
                        looked.left.extend(moving.filter_map(|one| Some((one.id.clone(), node(one)?))));
                        let gone = plan.orphans.iter().filter_map(|one| Some((one.id.clone(), orphan(one)?)));
                        looked.left.extend(gone);
                    }
                }
                Ok(if leave.is_err() || looked.left.len() > before { Answer::No } else { Answer::Yes })
            };
            let ended = self.session(part.clone(), &looked, &answer);
            let mut looked = lock(&looked);
            match ended {
                // The rest is as desired; the sum is that of the whole.
                Ok(_) if leave.is_err() && !looked.left.is_empty() => {}
                Ok(report) => looked.report = report,
                // What is as desired is written down as that, whatever is left.
                Err(Ended::Declined(report)) if looked.left.len() > before => {
                    looked.report = *report;
                    part = without(part, &looked.left);
                    if matches!(&part, Part::Only(ids) if ids.is_empty()) {
                        break;
                    }
                    continue;
                }
                Err(Ended::Declined(report)) => looked.report = *report,
                Err(Ended::Locked(who)) => looked.end = End::Busy(who),
                Err(Ended::SoftLocked(why)) => looked.end = End::Locked(why),
                Err(Ended::Failed(failure)) => looked.end = End::Failed(failure.to_string()),
                Err(Ended::Broken { report, failure }) => {
                    looked.report = *report;
                    looked.end = End::Failed(failure.to_string());
                }
            }
            break;
        }
        let mut looked = looked.into_inner().unwrap_or_else(PoisonError::into_inner);
        looked.millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        looked
    }

    fn session(
        &self,
        part: Part,
        looked: &Mutex<Looked>,
        answer: &dyn Fn(&Plan) -> Result<Answer, model::Failure>,
    ) -> Result<Report, Ended> {
        let watch = |event: &model::Event| lock(looked).take(&event.body);
        let events = EventLog::new(&watch, self.clock);
        let tell = |body| events.emit(body);
        let host = Host::attended(Arc::clone(&self.site.blobs), Attendance { tell: &tell, stop: self.stop });
        host.mask(&self.site.secrets);
        let work = &self.site.work;
        let job = Job {
            catalog: &work.catalog,
            secrets: &self.site.secrets,
            blobs: &*self.site.blobs,
            kinds: agent::kinds::LIVE,
            scope: &work.scope,
            choice: Choice { part, locks: Locks::honoured(), ..Choice::default() },
            system: &host,
            state: self.state,
            events: &events,
            clock: self.clock,
            command: work.command.clone(),
            terms: &work.terms,
            sentry: &Posted::of(self.state),
            stop: self.stop,
            faults: Faults::default(),
        };
        session::apply(&job, &answer).map(|done| done.report)
    }
}

impl Looked {
    fn take(&mut self, body: &EventBody) {
        match body {
            EventBody::Plan(plan) => plan.nodes.iter().for_each(|node| self.take_planned(node)),
            EventBody::Node { id, status, changes, because, .. } => {
                let (status, changes, because) = (*status, changes.clone(), because.clone());
                if status != NodeStatus::LeftOut {
                    self.ended.insert(id.clone(), NodeEnd { status, changes, because });
                }
            }
            EventBody::Note { text } | EventBody::Error { text } => self.notes.push(text.clone()),
            _ => {}
        }
    }

    fn take_planned(&mut self, node: &PlannedNode) {
        match &node.verdict {
            Verdict::Failed { because } | Verdict::Skipped { because } => {
                self.failed.insert(node.id.clone(), because.clone());
            }
            verdict if moves(verdict) => {
                let steps = node.steps.iter().chain(&node.refresh).map(ToString::to_string).collect();
                self.differing.insert(node.id.clone(), steps);
                self.because.extend(node.because.map(|because| (node.id.clone(), because)));
            }
            _ => {}
        }
    }

    /// Why the node differed. One that nobody foresaw followed another.
    pub fn because_of(&self, id: &Id) -> Because {
        let unforeseen = if self.differing.contains_key(id) { Because::Unknown } else { Because::Follows };
        self.because.get(id).copied().unwrap_or(unforeseen)
    }

    /// True where anything was changed, or tried.
    pub fn did_something(&self) -> bool {
        let nothing = [NodeStatus::Unchanged, NodeStatus::LeftOut, NodeStatus::Skipped];
        self.ended.values().any(|end| !nothing.contains(&end.status))
    }

    /// True where the node is known to be as desired now; `id` is one of those that were looked at.
    pub fn is_even(&self, id: &Id) -> bool {
        if let Some(end) = self.ended.get(id) {
            let good = [NodeStatus::Unchanged, NodeStatus::Changed, NodeStatus::Refreshed];
            return good.contains(&end.status);
        }
        self.end == End::Whole && !self.differing.contains_key(id) && !self.failed.contains_key(id)
    }
}

fn moves(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Change | Verdict::Refresh | Verdict::Provisional { .. })
}

fn without(part: Part, left: &BTreeMap<Id, String>) -> Part {
    let left: BTreeSet<Id> = left.keys().cloned().collect();
    match part {
        Part::All => Part::Except(left),
        Part::Except(ids) => Part::Except(&ids | &left),
        Part::Only(ids) => Part::Only(&ids - &left),
    }
}

fn lock(looked: &Mutex<Looked>) -> std::sync::MutexGuard<'_, Looked> {
    looked.lock().unwrap_or_else(PoisonError::into_inner)
}
