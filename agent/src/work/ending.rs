//! How work ended, in one word. It never lies: `Unchanged` is only for "as desired, and known to be so".

use crate::engine::LOCKED;
use model::{Drift, Plan, Rehearsal, Report, Verdict};
use wire::Ending;

/// Of a plan that was only shown.
pub(super) fn of_plan(plan: &Plan) -> Ending {
    // What stands behind a lock is only left for later, and a lock is told first.
    let is_locked = plan
        .nodes
        .iter()
        .any(|node| matches!(&node.verdict, Verdict::Skipped { because } if because.starts_with(LOCKED)));
    let bad = |verdict: &Verdict| match verdict {
        Verdict::Failed { .. } => true,
        Verdict::Skipped { .. } => !is_locked,
        _ => false,
    };
    if plan.nodes.iter().any(|node| bad(&node.verdict)) {
        Ending::Failed
    } else if plan.is_empty() {
        Ending::Unchanged
    } else {
        Ending::Pending
    }
}

/// Of a look for drift. Of what it is not known whether it drifted it may have.
pub(super) fn of_drift(drift: &Drift) -> Ending {
    match (drift.untold.is_empty(), drift.resources.is_empty()) {
        (false, _) => Ending::Failed,
        (true, false) => Ending::Pending,
        (true, true) => Ending::Unchanged,
    }
}

/// Of a rehearsal.
pub(super) fn of_rehearsal(found: &Rehearsal) -> Ending {
    match of_report(&found.report) {
        Ending::Unchanged if found.is_empty() => Ending::Unchanged,
        Ending::Unchanged | Ending::Changed => Ending::Pending,
        other => other,
    }
}

/// Of a run.
pub(super) fn of_report(report: &Report) -> Ending {
    match (report.is_converged(), report.changed) {
        (false, _) => Ending::Failed,
        (true, 0) => Ending::Unchanged,
        (true, _) => Ending::Changed,
    }
}

#[cfg(test)]
mod tests {
    use super::{of_plan, of_rehearsal, of_report};
    use model::{Id, Plan, PlannedNode, Rehearsal, Report, Verdict};
    use wire::Ending;

    fn plan(verdict: Verdict) -> Plan {
        let node = PlannedNode { verdict, ..PlannedNode::unchanged(Id::new("file", "/a")) };
        Plan { nodes: vec![node], ..Plan::default() }
    }

    #[test]
    fn what_is_not_known_to_be_as_desired_never_ends_unchanged() {
        let because = || "x".to_owned();
        for (verdict, ending) in [
            (Verdict::Unchanged, Ending::Unchanged),
            (Verdict::LeftOut, Ending::Unchanged),
            (Verdict::Change, Ending::Pending),
            (Verdict::Refresh, Ending::Pending),
            (Verdict::Provisional { because: because() }, Ending::Pending),
            (Verdict::Failed { because: because() }, Ending::Failed),
            (Verdict::Skipped { because: because() }, Ending::Failed),
        ] {
            assert_eq!(of_plan(&plan(verdict)), ending);
        }
    }

    #[test]
    fn a_report_tells_changed_from_unchanged_and_failed() {
        let fine = Report { unchanged: 3, ..Report::default() };
        let changed = Report { changed: 1, ..fine.clone() };
        assert_eq!((of_report(&fine), of_report(&changed)), (Ending::Unchanged, Ending::Changed));
        for bad in [
            Report { failed: 1, ..changed.clone() },
            Report { skipped: 1, ..changed.clone() },
            Report { unknown: 1, ..changed.clone() },
        ] {
            assert_eq!(of_report(&bad), Ending::Failed);
            assert_eq!(of_rehearsal(&Rehearsal { report: bad, ..Rehearsal::default() }), Ending::Failed);
        }
        assert_eq!(of_rehearsal(&Rehearsal { report: changed, ..Rehearsal::default() }), Ending::Pending);
        assert_eq!(of_rehearsal(&Rehearsal { report: fine, ..Rehearsal::default() }), Ending::Unchanged);
    }
}
