//! The sum of a run. Its exit code never lies.

use crate::NodeStatus;
use serde::{Deserialize, Serialize};

/// How many nodes ended how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the run; `None` where nothing had to change, so that there was none.
    pub run: Option<String>,
    /// Changed or refreshed.
    pub changed: u64,
    /// Of these, those that somebody else had changed before.
    #[serde(default, skip_serializing_if = "is_none")]
    pub drift: u64,
    /// As wanted already.
    pub unchanged: u64,
    /// Failed.
    pub failed: u64,
    /// Not tried.
    pub skipped: u64,
    /// State could not be told.
    pub unknown: u64,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Report {
    /// Counts one more node.
    pub fn count(&mut self, status: NodeStatus) {
        match status {
            NodeStatus::Unchanged => self.unchanged += 1,
            NodeStatus::Changed | NodeStatus::Refreshed => self.changed += 1,
            NodeStatus::Failed => self.failed += 1,
            NodeStatus::Skipped => self.skipped += 1,
            NodeStatus::Unknown => self.unknown += 1,
            NodeStatus::LeftOut => {}
        }
    }

    /// True where every node is as wanted now.
    pub fn is_converged(&self) -> bool {
        self.failed + self.skipped + self.unknown == 0
    }
}
