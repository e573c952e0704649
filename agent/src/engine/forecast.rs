//! The plan: each node decides on a model of the host on which the ops planned before it have been predicted.

use super::decide::decide;
use super::graph::{Choice, Graph, Vertex};
use super::observe::observe;
use super::plan_groups::{hold_back, planned_groups};
use super::texts::{expected, texts};
use super::together::part;
use crate::system::{Layer, System, View};
use model::{Because, EdgeKind, Failure, Op, Owed, Plan, PlannedNode, Step, UnitAction, Verdict};
use std::collections::BTreeSet;
use wire::Blobs;

/// Plans the whole graph on `host`, which is only read. `owed` is what earlier runs left unanswered.
pub fn forecast(
    graph: &Graph<'_>,
    host: &dyn System,
    choice: &Choice,
    owed: &BTreeSet<Owed>,
    blobs: &dyn Blobs,
) -> Result<Plan, Failure> {
    let observed = observe(graph, host, choice)?;
    blobs.expect(&expected(observed.iter().flatten()));
    let layer = Layer::over(host);
    let mut walk =
        Walk { graph, layer: &layer, choice, owed, blobs, fates: Vec::with_capacity(observed.len()) };
    let mut nodes = Vec::with_capacity(observed.len());
    for (vertex, observed) in graph.vertices().iter().zip(observed) {
        nodes.push(walk.node(vertex, observed)?);
    }
    hold_back(graph, &mut nodes);
    let together = planned_groups(graph, &nodes);
    Ok(Plan { nodes, orphans: Vec::new(), owed: owed.iter().cloned().collect(), together, ..Plan::default() })
}

/// What the plan says of a node, as far as the nodes after it care.
#[derive(Default)]
struct Fate {
    /// It, or a node before it, will change.
    dirty: bool,
    /// It will change, or may.
    changes: bool,
    /// It fails, or stands behind one that does.
    blocks: bool,
    /// What of it, or before it, may bring things that cannot be foreseen.
    pending: Option<String>,
}

struct Walk<'a> {
    graph: &'a Graph<'a>,
    layer: &'a Layer<'a>,
    choice: &'a Choice,
    owed: &'a BTreeSet<Owed>,
    blobs: &'a dyn Blobs,
    fates: Vec<Fate>,
}

impl Walk<'_> {
    fn node(
        &mut self,
        vertex: &Vertex<'_>,
        observed: Result<Vec<Step>, Failure>,
    ) -> Result<PlannedNode, Failure> {
        let mut fate = Fate::default();
        let origin = vertex.node.origins.first().cloned();
        let mut planned = PlannedNode { origin, ..PlannedNode::unchanged(vertex.node.id.clone()) };
        for link in &vertex.before {
            let before = &self.fates[link.at];
            fate.dirty |= before.dirty;
            fate.blocks |= before.blocks;
            fate.pending = fate.pending.or_else(|| before.pending.clone());
        }
        let because = differs(&observed);
        if !self.choice.takes(vertex.node) {
            planned.verdict = Verdict::LeftOut;
        } else if fate.blocks {
            planned.verdict = Verdict::Skipped { because: self.blocker(vertex) };
        } else {
            self.decide(vertex, observed, (&mut planned, &mut fate))?;
        }
        if !matches!(planned.verdict, Verdict::Unchanged | Verdict::LeftOut) {
            planned.because = because;
        }
        self.fates.push(fate);
        Ok(planned)
    }

    fn blocker(&self, vertex: &Vertex<'_>) -> String {
        let blocking = vertex.before.iter().find(|link| self.fates[link.at].blocks);
        let id = blocking.map(|link| &self.graph.vertices()[link.at].node.id);
        id.map_or(String::new(), |id| format!("blocked by {id}"))
    }

    fn decide(
        &self,
        vertex: &Vertex<'_>,
        observed: Result<Vec<Step>, Failure>,
        (planned, fate): (&mut PlannedNode, &mut Fate),
    ) -> Result<(), Failure> {
        let pending = fate.pending.clone();
        let view = View::new(self.layer, pending.as_deref());
        let decided = if fate.dirty { decide(vertex, &view) } else { observed };
        match decided {
            Err(failure) => {
                let because = view.unknown().or_else(|| may_come(&failure, pending.as_deref()));
                fate.blocks = because.is_none();
                planned.verdict = match because {
                    Some(because) => Verdict::Provisional { because },
                    None => Verdict::Failed { because: failure.to_string() },
                };
            }
            Ok(steps) => {
                if let Some(because) = self.lock_on(vertex, &steps, &view) {
                    fate.blocks = true;
                    planned.verdict = Verdict::Skipped { because };
                    return Ok(());
                }
                if self.graph.groups().group_of(self.fates.len()).is_some()
                    && let Err(failure) = part(&steps, self.layer)
                {
                    fate.blocks = true;
                    planned.verdict = Verdict::Failed { because: failure.to_string() };
                    return Ok(());
                }
                planned.texts = texts(&steps, &view, self.blobs);
                planned.steps = steps;
                self.predict(&view, planned);
                fate.blocks = matches!(planned.verdict, Verdict::Failed { .. });
            }
        }
        let changes = !planned.steps.is_empty() || matches!(planned.verdict, Verdict::Provisional { .. });
        if matches!(planned.verdict, Verdict::Unchanged) && changes {
            planned.verdict = Verdict::Change;
        }
        if !fate.blocks && self.is_notified(vertex) && !starts(&planned.steps) {
            planned.refresh = refresh(vertex, &view, planned);
            if planned.verdict == Verdict::Unchanged && !planned.refresh.is_empty() {
                planned.verdict = Verdict::Refresh;
            }
        }
        fate.changes = changes || planned.refresh.iter().any(|step| matches!(step.op, Op::Run(_)));
        fate.dirty |= fate.changes;
        let brings = planned.steps.iter().chain(&planned.refresh).find_map(|step| brings(&step.op));
        fate.pending = brings.map(|how| format!("{} {how}", planned.id)).or(fate.pending.take());
        Ok(())
    }

    /// Why a node that would change is not to.
    fn lock_on(&self, vertex: &Vertex<'_>, steps: &[Step], view: &View<'_>) -> Option<String> {
        let because = self.choice.locks.on(&vertex.node.id)?;
        let refreshes = || vertex.resource.refresh(view).is_ok_and(|steps| !steps.is_empty());
        (!steps.is_empty() || (self.is_notified(vertex) && refreshes())).then(|| because.to_owned())
    }

    /// Predicts the steps. What cannot be predicted is provisional where something pending may bring what is missing, and
    /// will fail where nothing is pending at all.
    fn predict(&self, view: &View<'_>, planned: &mut PlannedNode) {
        let failed = planned.steps.iter().find_map(|step| self.layer.predict(&step.op).err());
        let is_pending = || self.fates.iter().any(|fate| fate.pending.is_some());
        planned.verdict = match (view.unknown(), failed) {
            (Some(because), _) => Verdict::Provisional { because },
            (None, Some(failure @ Failure::Missing { .. })) if !is_pending() => {
                Verdict::Failed { because: failure.to_string() }
            }
            (None, Some(failure)) => Verdict::Provisional { because: failure.to_string() },
            (None, None) => Verdict::Unchanged,
        };
    }

    fn is_notified(&self, vertex: &Vertex<'_>) -> bool {
        let by_change =
            |link: &super::graph::Link| link.kind == EdgeKind::Notify && self.fates[link.at].changes;
        vertex.before.iter().any(by_change) || self.owed.iter().any(|owed| owed.to == vertex.node.id)
    }
}

/// Whether a node is not as desired by itself, now; `None` where that cannot be told. Whether that is drift indeed, the ledger knows. What the
/// kind knows to be none is none.
fn differs(observed: &Result<Vec<Step>, Failure>) -> Option<Because> {
    match observed {
        Ok(steps) if steps.is_empty() => Some(Because::Follows),
        // What was altered in one respect was altered; what cannot be told of one cannot be told.
        Ok(steps) => {
            let mut all: Vec<Because> =
                steps.iter().map(|step| step.moved.unwrap_or(Because::Drift)).collect();
            all.sort_unstable();
            all.first().copied().filter(|first| *first == Because::Drift).or(all.last().copied())
        }
        Err(Failure::Missing { .. } | Failure::Refused { .. }) => Some(Because::Drift),
        Err(_) => None,
    }
}

/// What a refresh would do; on an answer that cannot be foreseen the node becomes provisional.
fn refresh(vertex: &Vertex<'_>, view: &View<'_>, planned: &mut PlannedNode) -> Vec<Step> {
    match vertex.resource.refresh(view) {
        Ok(steps) => steps,
        Err(failure) => {
            let because = view.unknown().unwrap_or_else(|| failure.to_string());
            planned.verdict = Verdict::Provisional { because };
            Vec::new()
        }
    }
}

/// What is missing now, a group for example, may come with a package or a command that acts before.
fn may_come(failure: &Failure, pending: Option<&str>) -> Option<String> {
    let (Failure::Missing { what }, Some(pending)) = (failure, pending) else { return None };
    Some(format!("{pending} and may bring {what}"))
}

/// True where a unit is started or a command run anyway, which answers any notification.
pub(super) fn starts(steps: &[Step]) -> bool {
    let answers = |op: &Op| {
        let is_start = matches!(op, Op::Unit { action: UnitAction::Start | UnitAction::Restart, .. });
        is_start || matches!(op, Op::Run(_))
    };
    steps.iter().any(|step| answers(&step.op))
}

/// In words, how the op may bring things that nobody can foresee.
fn brings(op: &Op) -> Option<&'static str> {
    match op {
        Op::Run(_) => Some("will run"),
        Op::Packages(transaction) => {
            transaction.changes.iter().any(|it| it.action.installs()).then_some("will be installed")
        }
        Op::WriteFile { path, .. } if path.as_path().starts_with("/etc/apt") => Some("will change"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::differs;
    use model::{Because, Failure, HostPath, Op, Step};

    #[test]
    fn a_node_drifted_only_where_the_thing_itself_was_altered() {
        let step = |moved: &Option<Because>| {
            let step = Step::new(Op::Remove { path: HostPath::new("/a").unwrap() });
            moved.map_or(step.clone(), |because| step.moved(because))
        };
        let of = |all: &[Option<Because>]| differs(&Ok(all.iter().map(step).collect()));
        let (intended, unknown) = (Some(Because::Intended), Some(Because::Unknown));
        assert_eq!(of(&[]), Some(Because::Follows));
        assert_eq!(of(&[None]), Some(Because::Drift));
        assert_eq!((of(&[intended]), of(&[unknown])), (intended, unknown));
        assert_eq!(of(&[intended, unknown]), unknown);
        assert_eq!(
            of(&[unknown, None, intended]),
            Some(Because::Drift),
            "a hold that was taken off, beside it"
        );
        assert_eq!(differs(&Err(Failure::unknown("x", "y"))), None);
    }
}
