//! Executes ops in the order given, each journalled; for a rollback, which has no graph.

use super::act::{Actor, Ended, Terms};
use super::answer::answer_others;
use super::log::Log;
use super::moot::is_moot;
use super::run::{Host, Outcome};
use crate::undo::{Secrecy, subjects};
use model::{EventBody, Failure, Id, NodeStatus, Op, Owed, Report, Step, Subject, UnitAction};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

/// One op, and for whom.
pub struct Order {
    /// The nodes it is for.
    pub nodes: Vec<Id>,
    /// What to do.
    pub op: Op,
    /// Whether the images of what it touches are secret.
    pub secrecy: Secrecy,
}

/// Executes `orders`. One that fails does not stop the others: each brings back what it can.
pub fn enact(
    orders: Vec<Order>,
    host: &Host<'_>,
    log: &mut dyn Log,
    (number, owed): (u64, BTreeSet<Owed>),
) -> Outcome {
    let actor = Actor::new(host, log, number, owed.clone());
    // Units that have read what was brought back.
    let mut fresh: BTreeSet<String> = BTreeSet::new();
    let mut report = Report { run: Some(number.to_string()), ..Report::default() };
    let mut nodes = Vec::new();
    let mut trouble = Trouble::default();
    for Order { nodes: ids, op, secrecy } in orders {
        let terms = Terms { nodes: &ids, secrecy, timeout: None };
        let done = if host.stop.load(Ordering::Relaxed) {
            Ok(NodeStatus::Skipped)
        } else if let Some(failure) = trouble.bars(&op) {
            Err(Ended::Failed(failure))
        } else {
            act_unless_moot(&actor, &op, &terms)
        };
        if let Err(Ended::Failed(_)) = &done {
            trouble.came_of(&op);
        }
        if let (Some(unit), Ok(NodeStatus::Changed)) = (restarted(&op), &done) {
            fresh.insert(unit.clone());
        }
        let (status, because) = match done {
            Ok(NodeStatus::Skipped) => (NodeStatus::Skipped, "the run was told to stop".to_owned()),
            Ok(done) => (done, String::new()),
            Err(Ended::Dead(failure)) => (NodeStatus::Skipped, failure.to_string()),
            Err(Ended::Failed(failure)) => (NodeStatus::Failed, failure.to_string()),
        };
        report.count(status);
        nodes.push(status);
        let changes =
            if status == NodeStatus::Changed { vec![Step::new(op).to_string()] } else { Vec::new() };
        for id in ids.into_iter().take(1) {
            let (changes, because) = (changes.clone(), because.clone());
            host.sink.emit(EventBody::Node { id, origin: None, status, changes, because, millis: 0 });
        }
    }
    answer_others((&actor, host), &owed, |_| false, &fresh)
        .into_iter()
        .for_each(|status| report.count(status));
    Outcome { report, nodes, removed: Vec::new(), owed: actor.owed(), dead: actor.death() }
}

/// What failed so far, by which later ops cannot be tried.
#[derive(Default)]
struct Trouble {
    /// Units whose check failed: they keep running as they do.
    bad: BTreeSet<String>,
    /// Paths that are not brought back, and places where something could not be unmounted.
    stuck: BTreeSet<Subject>,
}

impl Trouble {
    fn came_of(&mut self, op: &Op) {
        if let Op::Check(check) = op {
            self.bad.insert(check.unit.clone());
        }
        self.stuck.extend(subjects(op));
    }

    /// Why `op` is not tried. What is mounted stays as long as a path below it is not as it was, which nobody could do anything about
    /// afterwards; and nothing is mounted over what should have made room.
    fn bars(&self, op: &Op) -> Option<Failure> {
        if let Some(unit) = restarted(op).filter(|unit| self.bad.contains(*unit)) {
            let why = format!("the check of {unit} failed");
            return Some(Failure::refused(why, "look at its configuration, then restart it"));
        }
        let (Op::Mount { path: at, .. } | Op::Unmount { path: at }) = op else { return None };
        let is_in_the_way = |stuck: &&Subject| match stuck {
            Subject::Path(path) => path.starts_with(at) && path != at,
            Subject::Mount(path) => path == at,
            _ => false,
        };
        let stuck = self.stuck.iter().find(is_in_the_way)?;
        Some(Failure::refused(
            format!("{stuck} is not as it was yet"),
            "see to that, then roll back that run again",
        ))
    }
}

/// The unit that reads its configuration by the op.
fn restarted(op: &Op) -> Option<&String> {
    match op {
        Op::Unit { name, action: UnitAction::Start | UnitAction::Restart | UnitAction::Reload } => Some(name),
        _ => None,
    }
}

fn act_unless_moot(actor: &Actor<'_>, op: &Op, terms: &Terms<'_>) -> Result<NodeStatus, Ended> {
    if is_moot(op, actor.host()).map_err(Ended::Failed)? {
        return Ok(NodeStatus::Unchanged);
    }
    let done = if matches!(op, Op::Check(_)) { NodeStatus::Unchanged } else { NodeStatus::Changed };
    actor.act(op, terms).map(|()| done)
}

#[cfg(test)]
mod tests {
    use super::Trouble;
    use model::{HostPath, Op};

    #[test]
    fn what_is_mounted_waits_for_what_lies_below_and_for_its_place() {
        let at = |path: &str| HostPath::new(path).unwrap();
        let unmount = |path: &str| Op::Unmount { path: at(path) };
        let mount = |path: &str| {
            let [source, fs, options] = ["tmpfs", "tmpfs", "rw"].map(str::to_owned);
            Op::Mount { path: at(path), source, fs, options }
        };
        let mut trouble = Trouble::default();
        trouble.came_of(&Op::Remove { path: at("/srv/a/x") });
        trouble.came_of(&Op::Remove { path: at("/srv/b") });
        trouble.came_of(&unmount("/srv/c"));
        for (op, is_barred) in [
            (unmount("/srv/a"), true),
            (unmount("/srv"), true),
            (mount("/srv/a"), true),
            (unmount("/srv/b"), false),
            (mount("/srv/c"), true),
            (mount("/srv/cc"), false),
            (Op::Remove { path: at("/srv/a") }, false),
        ] {
            assert_eq!(trouble.bars(&op).is_some(), is_barred, "{op}");
        }
    }
}
