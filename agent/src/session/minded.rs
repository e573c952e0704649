//! What people have locked, as a piece of work minds it: a host that is locked is left alone, and of it what is locked.

use super::job::{Clock, Ended, Job};
use crate::engine::{LOCKED, Locks};
use crate::state::{StateDir, refusal};
use model::{Failure, Id, Owed, Plan, PlannedNode, Report, SoftLock, Verdict};

/// The locks of the host; none where they do not matter.
pub(super) fn soft_locks(
    locks: &Locks,
    (state, clock): (&StateDir, Clock<'_>),
) -> Result<Vec<SoftLock>, Failure> {
    if !locks.are_honoured() {
        return Ok(Vec::new());
    }
    let found = state.soft_locks(&clock())?;
    locks.find(found.iter().filter_map(|lock| Some((lock.resource.clone()?, refusal(lock)))))?;
    Ok(found)
}

/// Refuses work on a host that is locked as a whole.
pub(super) fn admit(locks: &Locks, host: (&StateDir, Clock<'_>)) -> Result<(), Ended> {
    let found = soft_locks(locks, host)?;
    let whole = found.iter().find(|lock| lock.resource.is_none());
    whole.map_or(Ok(()), |lock| Err(Ended::SoftLocked(format!("this host is {}", refusal(lock)))))
}

/// Why a rollback is not to happen: half a way back is none, so one locked resource is enough.
pub(super) fn in_the_way(locks: &Locks, plan: &Plan) -> Option<String> {
    let changing = plan.nodes.iter().filter(|node| matches!(node.verdict, Verdict::Change));
    let mut locked = changing.filter_map(|node| Some(of(&node.id, locks.on(&node.id)?)));
    locked.next()
}

fn of(id: &Id, because: &str) -> String {
    format!("{id} is {because}")
}

/// Why a run of a plan would do nothing: it has something to do, and all of it is locked or stands behind what is. `None` where it would
/// do something.
pub(super) fn all_locked(plan: &Plan) -> Option<String> {
    let is_left = |node: &PlannedNode| matches!(node.verdict, Verdict::Skipped { .. });
    let stays = |node: &PlannedNode| matches!(node.verdict, Verdict::Unchanged | Verdict::LeftOut);
    let waits = |owed: &Owed| plan.nodes.iter().any(|node| node.id == owed.to && is_left(node));
    let does_nothing = plan.nodes.iter().all(|node| is_left(node) || stays(node))
        && plan.orphans.iter().all(|orphan| orphan.steps.is_empty())
        && plan.owed.iter().all(waits);
    let locked = plan.nodes.iter().filter_map(|node| match &node.verdict {
        Verdict::Skipped { because } if because.starts_with(LOCKED) => Some(of(&node.id, because)),
        _ => None,
    });
    let mut locked = locked.filter(|_| does_nothing);
    let first = locked.next()?;
    Some(match locked.count() {
        0 => first,
        more => format!("{first}; and {more} more"),
    })
}

/// True where nothing kept a run from its goal but what is locked.
pub(super) fn is_only_locked(job: &Job<'_>, report: &Report) -> bool {
    let was_stopped = job.stop.load(std::sync::atomic::Ordering::SeqCst);
    job.choice.locks.were_met() && report.failed + report.unknown == 0 && !was_stopped
}

#[cfg(test)]
mod tests {
    use super::all_locked;
    use model::{Id, Orphan, Owed, Plan, PlannedNode, Step, Verdict};

    fn node(name: &str, verdict: Verdict) -> PlannedNode {
        PlannedNode { verdict, ..PlannedNode::unchanged(Id::new("file", name)) }
    }

    fn skipped(because: &str) -> Verdict {
        Verdict::Skipped { because: because.to_owned() }
    }

    #[test]
    fn only_where_nothing_else_is_left_a_run_would_do_nothing() {
        let locked = || node("/a", skipped("locked by ann: x"));
        let behind = || node("/b", skipped("blocked by file./a"));
        let all = Plan { nodes: vec![locked(), behind(), node("/c", Verdict::Unchanged)], ..Plan::default() };
        assert_eq!(all_locked(&all).as_deref(), Some("file./a is locked by ann: x"));
        let owed = |to: &str| Owed { from: Id::new("file", "/z"), to: Id::new("file", to), answer: None };
        assert!(all_locked(&Plan { owed: vec![owed("/a")], ..all.clone() }).is_some());
        assert_eq!(all_locked(&Plan { owed: vec![owed("/c")], ..all.clone() }), None);
        let steps = vec![Step::new(model::Op::Reboot)];
        let id = Id::new("file", "/o");
        let orphans = vec![Orphan { id, steps, because: String::new(), is_rolled_back: false }];
        assert_eq!(all_locked(&Plan { orphans, ..all.clone() }), None);
        let because = String::new;
        for more in [Verdict::Change, Verdict::Refresh, Verdict::Failed { because: because() }] {
            let nodes = [all.nodes.clone(), vec![node("/d", more)]].concat();
            assert_eq!(all_locked(&Plan { nodes, ..all.clone() }), None);
        }
        assert_eq!(all_locked(&Plan { nodes: vec![behind()], ..Plan::default() }), None, "no lock is met");
    }
}
