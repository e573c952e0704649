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

/// True where a plan has something to do, and all of it is locked or stands behind what is: a run of it would do nothing.
pub(super) fn is_all_locked(plan: &Plan) -> bool {
    let is_left = |node: &PlannedNode| matches!(node.verdict, Verdict::Skipped { .. });
    let stays = |node: &PlannedNode| matches!(node.verdict, Verdict::Unchanged | Verdict::LeftOut);
    let is_locked = |node: &PlannedNode| matches!(&node.verdict, Verdict::Skipped { because } if because.starts_with(LOCKED));
    let waits = |owed: &Owed| plan.nodes.iter().any(|node| node.id == owed.to && is_left(node));
    plan.nodes.iter().any(is_locked)
        && plan.nodes.iter().all(|node| is_left(node) || stays(node))
        && plan.orphans.iter().all(|orphan| orphan.steps.is_empty())
        && plan.owed.iter().all(waits)
}

/// True where nothing kept a run from its goal but what is locked.
pub(super) fn is_only_locked(job: &Job<'_>, report: &Report) -> bool {
    let was_stopped = job.stop.load(std::sync::atomic::Ordering::SeqCst);
    job.choice.locks.were_met() && report.failed + report.unknown == 0 && !was_stopped
}
