//! What a run would do, and what it cannot know.

use crate::{Because, Id, NodeStatus, Origin, Report, SoftLock, Step, UnitAction};
use serde::{Deserialize, Serialize};

/// The decision about every node of a catalog.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// In catalog order.
    pub nodes: Vec<PlannedNode>,
    /// What the host's ledger has and the catalog no longer.
    pub orphans: Vec<Orphan>,
    /// Notifications that an earlier run left owed.
    pub owed: Vec<Owed>,
    /// What will change together, once it has been checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub together: Vec<PlannedGroup>,
    /// What people have locked on the host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<SoftLock>,
    /// What the run has to be confirmed for, where it has to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed: Option<Stake>,
}

/// What a run has to be confirmed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stake {
    /// Within so many seconds after its end; else it is unwound.
    pub window: u64,
    /// What it touches that is so delicate, a few words each.
    pub because: Vec<String>,
}

/// Nodes that are put in place together, or none of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedGroup {
    /// Which, in catalog order.
    pub nodes: Vec<Id>,
    /// What has to pass first, a line each.
    pub checks: Vec<String>,
}

/// One node's part of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedNode {
    /// Which.
    pub id: Id,
    /// Where it was declared.
    pub origin: Option<Origin>,
    /// What will become of it.
    pub verdict: Verdict,
    /// Why it is to change; `None` where it is not, and where that is nobody's business, as in a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
    /// What would be done, in order.
    pub steps: Vec<Step>,
    /// What a refresh would do, where one is due.
    pub refresh: Vec<Step>,
    /// Differences of text, as unified diffs by path; nothing secret, nothing large.
    pub texts: Vec<(String, String)>,
}

/// What will become of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is as wanted.
    Unchanged,
    /// It will change.
    Change,
    /// It will be refreshed only.
    Refresh,
    /// It depends on what cannot be known before the run; steps are a forecast.
    Provisional {
        /// What cannot be known.
        because: String,
    },
    /// Its state could not be told, or it is refused as it is.
    Failed {
        /// Why.
        because: String,
    },
    /// It is left out, by the user's own choice of tags.
    LeftOut,
    /// It stands behind a node that fails.
    Skipped {
        /// Why.
        because: String,
    },
}

/// A resource that the host's ledger has and the catalog no longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Orphan {
    /// Which.
    pub id: Id,
    /// Steps that remove it, where it said `on_removal = "remove"`; empty where it stays.
    pub steps: Vec<Step>,
    /// Why it stays, where it does.
    pub because: String,
    /// True where it had been removed before, and that was rolled back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_rolled_back: bool,
}

/// A notification that has not been answered yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owed {
    /// Who changed.
    pub from: Id,
    /// Who has to be refreshed.
    pub to: Id,
    /// What answers it in a run that is not for that node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// What a service does about a notification, whoever sees to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Answer {
    /// Name of the unit with its suffix.
    pub unit: String,
    /// Restart or reload.
    pub action: UnitAction,
    /// The check that has to pass first; empty for none.
    pub check: Vec<String>,
}

impl PlannedNode {
    /// One that is as wanted, so far: what becomes of it is said by what differs.
    pub fn unchanged(id: Id) -> Self {
        Self {
            id,
            origin: None,
            verdict: Verdict::Unchanged,
            because: None,
            steps: Vec::new(),
            refresh: Vec::new(),
            texts: Vec::new(),
        }
    }

    /// True where somebody else changed it.
    pub fn is_drift(&self) -> bool {
        self.because == Some(Because::Drift)
    }
}

impl Plan {
    /// True where a run would do nothing, owe nothing and know everything.
    pub fn is_empty(&self) -> bool {
        self.owed.is_empty()
            && self.orphans.iter().all(|orphan| orphan.steps.is_empty())
            && self.nodes.iter().all(|node| matches!(node.verdict, Verdict::Unchanged | Verdict::LeftOut))
    }

    /// The plan without what stays as it is.
    pub fn pending(&self) -> Self {
        let pending = |node: &&PlannedNode| node.verdict != Verdict::Unchanged;
        Self {
            nodes: self.nodes.iter().filter(pending).cloned().collect(),
            orphans: self.orphans.clone(),
            owed: self.owed.clone(),
            together: self.together.clone(),
            locks: self.locks.clone(),
            armed: self.armed.clone(),
        }
    }

    /// The report that a run of this plan is foreseen to end with: what is provisional counts as unknown.
    pub fn foreseen(&self) -> Report {
        let mut report = Report::default();
        for node in &self.nodes {
            report.count(match node.verdict {
                Verdict::Unchanged => NodeStatus::Unchanged,
                Verdict::Change => NodeStatus::Changed,
                Verdict::Refresh => NodeStatus::Refreshed,
                Verdict::Provisional { .. } => NodeStatus::Unknown,
                Verdict::Failed { .. } => NodeStatus::Failed,
                Verdict::LeftOut => NodeStatus::LeftOut,
                Verdict::Skipped { .. } => NodeStatus::Skipped,
            });
            report.drift += u64::from(node.verdict == Verdict::Change && node.is_drift());
        }
        let removed = self.orphans.iter().filter(|orphan| !orphan.steps.is_empty());
        removed.for_each(|_| report.count(NodeStatus::Changed));
        report
    }

    /// The report where the answer was no: what would have changed was not tried.
    pub fn declined(&self) -> Report {
        let foreseen = self.foreseen();
        Report { changed: 0, drift: 0, skipped: foreseen.skipped + foreseen.changed, ..foreseen }
    }
}
