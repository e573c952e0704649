//! What has to be brought back, subject by subject, in the order in which it has to happen.
//!
//! Order: last touched first; but units are started and enabled again only when everything they may read is back. `touches` says what was touched.

use super::job::{Drift, Rollback};
use super::reread::readers;
use super::touches::{Mounted, Touch, Touches, amend, is_place, places_after_mounts, touches};
use super::versions::{Sources, find_versions};
use crate::engine::{texts, touches_unit_files};
use crate::system::{is_running, mount_image};
use crate::undo::{
    CompareOnly, Secrecy, capture, comparable, differences, restore, reversibility, secrecy, subjects,
};
use model::{
    Act, Command, Diff, Failure, FileState, Fingerprint, GroupState, HostPath, Id, Op, Outcome, PathState,
    REDACTED, Reversibility, State, Status, Step, Subject, Text, Thing, Transaction, UnitAction,
};
use std::collections::BTreeMap;

/// One subject's way back.
#[derive(Clone, Debug, PartialEq)]
pub struct Restoration {
    /// The nodes whose op touched it last.
    pub nodes: Vec<Id>,
    /// What to do; nothing where it is as it was.
    pub ops: Vec<Op>,
    /// What changes by that.
    pub diffs: Vec<Diff>,
    /// Unified diffs of text.
    pub texts: Vec<(String, String)>,
    /// Why it is left alone.
    pub refused: Option<String>,
    /// Whether its images are secret.
    pub secrecy: Secrecy,
}

impl Restoration {
    /// Nothing yet, for those nodes of `act` that are about `subject`.
    fn about(act: &Act, subject: &Subject) -> Self {
        let Op::Together(together) = &act.op else { return Self::of(act) };
        let is_about = |change: &Op| subjects(change).contains(subject);
        let all = act.nodes.iter().zip(&together.changes);
        let nodes = all.filter(|(_, change)| is_about(change)).map(|(node, _)| node.clone()).collect();
        Self { nodes, ..Self::of(act) }
    }

    /// Nothing yet, for the nodes of `act`.
    fn of(act: &Act) -> Self {
        let (nodes, secrecy) = (act.nodes.clone(), secrecy(&act.op));
        Self { nodes, ops: Vec::new(), diffs: Vec::new(), texts: Vec::new(), refused: None, secrecy }
    }
}

/// All that `status` calls for, after `attempts` to roll it back that came to no good end.
pub(super) fn restorations(
    rollback: &Rollback<'_>,
    (status, attempts): (&Status, &[Status]),
) -> Result<Vec<Restoration>, Failure> {
    let mut early = Vec::new();
    let mut late = Vec::new();
    let mut ordered: Vec<(&Subject, &Touch<'_>)> = Vec::new();
    let (mut touches, mut order) = touches(status);
    attempts.iter().flat_map(|attempt| attempt.acts.values()).for_each(|act| amend(&mut touches, act));
    places_after_mounts(&touches, &mut order);
    expect_packages(rollback, &order)?;
    for subject in order.iter().rev() {
        ordered.extend(touches.get(subject).map(|touch| (*subject, touch)));
    }
    let mut undone = status.acts.values().rev().filter_map(undo_command).collect::<Vec<_>>();
    early.append(&mut undone);
    let mounted = mounted_now(rollback, &touches)?;
    let mut left = Vec::new();
    for (subject, touch) in ordered {
        let mut one = restoration(rollback, (subject, touch), (&touches, &mounted))?;
        if rollback.drift == Drift::Refuse {
            wait_for_what_is_below(subject, &mut one, &mut left);
        }
        let (start, rest): (Vec<Op>, Vec<Op>) = one.ops.drain(..).partition(starts_something);
        if !start.is_empty() {
            late.push(Restoration { ops: start, texts: Vec::new(), ..one.clone() });
        }
        one.ops = rest;
        if !one.ops.is_empty() || one.refused.is_some() {
            early.push(one);
        }
    }
    let mut work = join_packages(early);
    work.extend(reload(&work));
    work.append(&mut late);
    work.extend(restarts(rollback, status, &work)?);
    Ok(work)
}

/// What is mounted where these runs mounted or unmounted something.
fn mounted_now<'a>(rollback: &Rollback<'_>, touches: &Touches<'a>) -> Result<Mounted<'a>, Failure> {
    let mounts = touches.keys().filter_map(|subject| match *subject {
        Subject::Mount(at) => Some((at, mount_image(rollback.system, at))),
        _ => None,
    });
    mounts.map(|(at, now)| Ok((at, State::Mount(now?)))).collect()
}

/// What is mounted stays as long as a path below it, one of `left`, is not brought back: nobody could do that afterwards.
fn wait_for_what_is_below<'a>(subject: &'a Subject, one: &mut Restoration, left: &mut Vec<&'a HostPath>) {
    match subject {
        Subject::Path(path) if one.refused.is_some() => left.push(path),
        Subject::Mount(at) if !one.ops.is_empty() => {
            let Some(below) = left.iter().find(|path| path.starts_with(at) && *path != &at) else { return };
            one.refused = Some(format!("{below} lies below it, and is not brought back"));
            one.ops.clear();
            one.diffs.clear();
        }
        _ => {}
    }
}

/// One question about all packages, where one has to be asked.
fn expect_packages(rollback: &Rollback<'_>, subjects: &[&Subject]) -> Result<(), Failure> {
    let package = |subject: &&Subject| match subject {
        Subject::Package(name) => Some(Thing::Package(name.clone())),
        _ => None,
    };
    rollback.system.prepare(&subjects.iter().filter_map(package).collect::<Vec<_>>())
}

fn restoration(
    rollback: &Rollback<'_>,
    (subject, touch): (&Subject, &Touch<'_>),
    (touches, mounted): (&Touches<'_>, &Mounted<'_>),
) -> Result<Restoration, Failure> {
    let store = rollback.state.store();
    let mut one = Restoration::about(touch.act, subject);
    one.secrecy = secrecy_of(touch);
    let now = capture(rollback.system, subject, one.secrecy, &CompareOnly(&store))?;
    let now = comparable(now, touch.goal);
    if let Some(at) = touch.gone_with(mounted).filter(|_| !is_place(subject, touches)) {
        // It went with what it lay on; what stands there now is none of the run's.
        let help = format!("mount at {at} what was mounted then, and roll back that run again");
        let refused = || format!("it is on another file system than the run's: {help}");
        one.refused = (now != *touch.goal).then(refused);
        return Ok(one);
    }
    if now == *touch.goal {
        if group_goes(subject, touches) {
            one.ops = restore(subject, &State::Group(None), &now, &store)?;
        }
        return Ok(one);
    }
    let is_touched = |user: &str| touches.contains_key(&Subject::User(user.to_owned()));
    // An empty directory is all that can be taken away there.
    let hides = is_place(subject, touches) && matches!(now, State::Path(PathState::Directory { .. }));
    let drifted = !touch.unknown && !hides && !touch.left.iter().any(|left| same(left, &now, &is_touched));
    if drifted && rollback.drift == Drift::Refuse {
        one.refused = Some(format!("{subject} was changed since; look at it, or roll back with --force"));
        return Ok(one);
    }
    match restore(subject, &now, touch.goal, &store) {
        Ok(mut ops) => {
            ops.iter_mut().for_each(|op| move_home_back(op, &touch.act.op));
            let steps: Vec<Step> = ops.iter().cloned().map(Step::new).collect();
            one.texts = texts(&steps, rollback.system, &store);
            one.diffs = differences(subject, &now, touch.goal);
            match find_versions(rollback, (subject, sources(touches)), (&mut ops, &mut one.diffs)) {
                Ok(()) => one.ops = ops,
                Err(failure) => one.refused = Some(failure.to_string()),
            }
        }
        Err(failure) => one.refused = Some(failure.to_string()),
    }
    Ok(one)
}

/// Whether the run touched what says where packages come from.
fn sources(touches: &Touches<'_>) -> Sources {
    let is_source =
        |subject: &&Subject| matches!(subject, Subject::Path(path) if path.as_path().starts_with("/etc/apt"));
    if touches.keys().any(is_source) { Sources::Changing } else { Sources::Same }
}

/// userdel(8) takes the group of the user's name away as well: one that was there before the user is made again.
fn group_goes(subject: &Subject, touches: &Touches<'_>) -> bool {
    let Subject::Group(name) = subject else { return false };
    let user = touches.get(&Subject::User(name.clone()));
    user.is_some_and(|user| *user.goal == State::User(None))
}

/// A home directory that was moved is moved back; where it lies is in no image.
fn move_home_back(op: &mut Op, done: &Op) {
    if let (Op::ModifyUser(back), Op::ModifyUser(done)) = (op, done) {
        back.manage_home = done.manage_home && done.home.is_some();
    }
}

/// What has its image under a key is compared, and kept again, under that key.
fn secrecy_of(touch: &Touch<'_>) -> Secrecy {
    let is_keyed = |state: &State| {
        matches!(
            state,
            State::SecretSysctl(_)
                | State::Path(PathState::File(FileState { content: Fingerprint::Keyed(_), .. }))
        )
    };
    if is_keyed(touch.goal) || touch.left.iter().any(|left| is_keyed(left)) {
        Secrecy::Secret
    } else {
        secrecy(&touch.act.op)
    }
}

/// Whether a thing is still as the run left it. Users whom the run touched may have joined or left a group since. A unit that came up or went down by itself has not drifted, and one that
/// was stopped and disabled may be gone: the run took its file away afterwards.
fn same(left: &State, now: &State, is_touched: &dyn Fn(&str) -> bool) -> bool {
    let others = |group: &GroupState| {
        group.members.iter().filter(|user| !is_touched(user)).cloned().collect::<Vec<_>>()
    };
    match (left, now) {
        (State::Group(Some(left)), State::Group(Some(now))) => {
            left.gid == now.gid && others(left) == others(now) && same_shadow(left, now, is_touched)
        }
        (State::Unit(Some(left)), State::Unit(None)) => !is_running(&left.active) && left.file != "enabled",
        (State::Unit(Some(left)), State::Unit(Some(now))) => left.file == now.file,
        _ => left == now,
    }
}

/// What nobody looked at is not compared; and who is removed administers nothing any more.
fn same_shadow(left: &GroupState, now: &GroupState, is_touched: &dyn Fn(&str) -> bool) -> bool {
    let (Some(left), Some(now)) = (&left.shadow, &now.shadow) else { return true };
    let mut changed = left.administrators.symmetric_difference(&now.administrators);
    left.password == now.password && changed.all(|user| is_touched(user))
}

fn starts_something(op: &Op) -> bool {
    let late =
        |action: &UnitAction| matches!(action, UnitAction::Start | UnitAction::Enable | UnitAction::Unmask);
    matches!(op, Op::Unit { action, .. } if late(action))
}

/// The command that undoes a command; a secret in it is gone with the run.
fn undo_command(act: &Act) -> Option<Restoration> {
    let (Op::Run(command), Outcome::Done(..) | Outcome::Open) = (&act.op, &act.outcome) else { return None };
    let mut one = Restoration::of(act);
    let lost = command.undo.iter().chain(command.env.values()).any(|text| text.expose() == REDACTED);
    if reversibility(&act.op) == Reversibility::None {
        one.refused = Some("it ran a command that nothing undoes".to_owned());
    } else if lost {
        one.refused = Some("the command that undoes it holds a secret, which was not kept".to_owned());
    } else {
        let undo = Command {
            argv: command.undo.clone(),
            undo: Vec::<Text>::new(),
            stdin: None,
            returns: [0].into(),
            ..command.clone()
        };
        one.ops.push(Op::Run(undo));
    }
    Some(one)
}

/// All packages in one transaction, at the place of the first; what comes after each, such as a hold, after it.
fn join_packages(work: Vec<Restoration>) -> Vec<Restoration> {
    let mut joined: Vec<Restoration> = Vec::new();
    let mut first: Option<usize> = None;
    for mut one in work {
        if !matches!(one.ops.first(), Some(Op::Packages(_))) {
            joined.push(one);
            continue;
        }
        let after = one.ops.split_off(1);
        match (first, one.ops.pop()) {
            (Some(place), Some(op)) => merge(&mut joined[place], op, &one.diffs),
            (_, op) => {
                first = Some(joined.len());
                joined.push(Restoration { ops: op.into_iter().collect(), ..one.clone() });
            }
        }
        if !after.is_empty() {
            joined.push(Restoration { ops: after, ..one });
        }
    }
    joined
}

fn merge(all: &mut Restoration, op: Op, diffs: &[Diff]) {
    if let (Some(Op::Packages(into)), Op::Packages(Transaction { changes, held, .. })) =
        (all.ops.first_mut(), op)
    {
        into.changes.extend(changes);
        into.changes.sort();
        into.held.extend(held);
        all.diffs.extend(diffs.iter().cloned());
    }
}

fn reload(work: &[Restoration]) -> Option<Restoration> {
    let touching = work.iter().find(|one| one.ops.iter().any(touches_unit_files))?;
    let (nodes, ops) = (touching.nodes.clone(), vec![Op::ReloadManager]);
    let (diffs, texts) = (Vec::new(), Vec::new());
    Some(Restoration { nodes, ops, diffs, texts, refused: None, secrecy: Secrecy::Open })
}

/// Units that the run restarted or reloaded have to do it again, to read what was brought back; and so have those that read what the way to
/// the host depends on.
fn restarts(
    rollback: &Rollback<'_>,
    status: &Status,
    work: &[Restoration],
) -> Result<Vec<Restoration>, Failure> {
    let is_handled = |name: &str| {
        let about = |op: &Op| matches!(op, Op::Unit { name: other, .. } if other == name);
        work.iter().any(|one| one.ops.iter().any(about))
    };
    let mut again: BTreeMap<String, Restoration> = BTreeMap::new();
    for act in status.acts.values() {
        if let Op::Unit { name, action: UnitAction::Restart | UnitAction::Reload } = &act.op
            && !is_handled(name)
            && rollback.system.unit(name)?.is_some_and(|unit| is_running(&unit.active))
        {
            again.insert(name.clone(), Restoration { ops: vec![act.op.clone()], ..Restoration::of(act) });
        }
    }
    for (one, path) in work.iter().flat_map(|one| paths(one).map(move |path| (one, path))) {
        for name in readers(&path).filter(|name| !is_handled(name)) {
            let Some(unit) = rollback.system.unit(name)?.filter(|_| !again.contains_key(name)) else {
                continue;
            };
            let action = match unit.active.as_str() {
                "failed" => UnitAction::Restart,
                active if is_running(active) => UnitAction::Reload,
                _ => continue,
            };
            let ops = vec![Op::Unit { name: name.to_owned(), action }];
            let (diffs, texts) = (Vec::new(), Vec::new());
            let (nodes, secrecy) = (one.nodes.clone(), Secrecy::Open);
            let one = Restoration { nodes, ops, diffs, texts, refused: None, secrecy };
            again.insert(name.to_owned(), one);
        }
    }
    Ok(if work.iter().all(|one| one.ops.is_empty()) { Vec::new() } else { again.into_values().collect() })
}

/// The paths that are brought back.
fn paths(one: &Restoration) -> impl Iterator<Item = HostPath> {
    let path = |subject| if let Subject::Path(path) = subject { Some(path) } else { None };
    one.ops.iter().flat_map(subjects).filter_map(path)
}
