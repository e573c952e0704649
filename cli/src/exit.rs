//! What an exit code says. It never lies: 0 is only for "as desired, and known to be so".

use model::{Plan, Rehearsal, Report, Verdict};
use std::process::ExitCode;

/// How `keel` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is as desired.
    Fine,
    /// Something failed, or could not be told.
    Failed,
    /// Changes are pending.
    Pending,
    /// The command line, or the site, is wrong.
    Usage,
    /// Another run has the host.
    Locked,
}

impl Exit {
    /// Of a plan that was only shown.
    pub fn of_plan(plan: &Plan) -> Self {
        let bad = |verdict: &Verdict| matches!(verdict, Verdict::Failed { .. } | Verdict::Skipped { .. });
        if plan.nodes.iter().any(|node| bad(&node.verdict)) {
            Self::Failed
        } else if plan.is_empty() {
            Self::Fine
        } else {
            Self::Pending
        }
    }

    /// Of a rehearsal.
    pub fn of_rehearsal(found: &Rehearsal) -> Self {
        match Self::of_report(&found.report) {
            Self::Fine if found.is_empty() && found.report.changed == 0 => Self::Fine,
            Self::Fine => Self::Pending,
            other => other,
        }
    }

    /// Of a run.
    pub fn of_report(report: &Report) -> Self {
        if report.is_converged() { Self::Fine } else { Self::Failed }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Pending => 2,
            Exit::Usage => 3,
            Exit::Locked => 6,
        })
    }
}
