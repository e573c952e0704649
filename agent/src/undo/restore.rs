//! From two images to the ops between them. Pure but for recalling kept bytes.

use super::Keep;
use super::capture::Xattrs;
use model::{
    Content, Failure, FileState, Fingerprint, GroupSpec, GroupState, HostPath, MountState, Op, PackageAction,
    PackageChange, PackageState, PathState, Principal, Secret, State, Subject, Text, Transaction, UnitAction,
    UnitState, UserSpec, UserState,
};
use std::collections::BTreeSet;

/// The ops that bring `subject` from state `now` to state `goal`; none where they are equal.
pub fn restore(subject: &Subject, now: &State, goal: &State, keep: &dyn Keep) -> Result<Vec<Op>, Failure> {
    if now == goal {
        return Ok(Vec::new());
    }
    match (subject, now, goal) {
        (Subject::Path(path), State::Path(now), State::Path(goal)) => restore_path(path, now, goal, keep),
        (
            Subject::Package(name),
            State::Package(None),
            State::Package(Some(PackageState { version: None, .. })),
        ) => {
            let why = format!("the configuration that package {name} had left was purged, and was not kept");
            Err(Failure::refused(why, "restore it from a backup"))
        }
        (Subject::Package(name), State::Package(now), State::Package(goal)) => {
            Ok(restore_package(name, now.as_ref(), goal.as_ref()))
        }
        (Subject::Unit(name), State::Unit(now), State::Unit(goal)) => {
            Ok(restore_unit(name, now.as_ref(), goal.as_ref()))
        }
        (Subject::User(name), State::User(now), State::User(goal)) => {
            restore_user(name, now.as_ref(), goal.as_ref(), keep)
        }
        (Subject::Group(name), State::Group(now), State::Group(goal)) => {
            restore_group(name, now.as_ref(), goal.as_ref(), keep)
        }
        // A value that the kernel did not have then came with a module, and goes with it.
        (Subject::Sysctl(_), _, State::Sysctl(None)) => Ok(Vec::new()),
        (Subject::Sysctl(path), _, State::Sysctl(Some(value))) => {
            Ok(vec![Op::SetSysctl { path: path.clone(), value: Text::Plain(value.clone()) }])
        }
        (Subject::Sysctl(path), _, State::SecretSysctl(kept)) => {
            let value = Text::Hidden(recall_text(subject, kept, keep)?);
            Ok(vec![Op::SetSysctl { path: path.clone(), value }])
        }
        (Subject::Mount(path), State::Mount(now), State::Mount(goal)) => {
            restore_mount(path, now.as_ref(), goal.as_ref())
        }
        _ => Err(Failure::unknown(subject.to_string(), "its image is of another kind of thing")),
    }
}

fn restore_path(
    path: &HostPath,
    now: &PathState,
    goal: &PathState,
    keep: &dyn Keep,
) -> Result<Vec<Op>, Failure> {
    let path = path.clone();
    let same_type = std::mem::discriminant(now) == std::mem::discriminant(goal);
    let mut ops = Vec::new();
    if !same_type && *now != PathState::Absent {
        ops.push(Op::Remove { path: path.clone() });
    }
    match goal {
        PathState::Absent => {}
        PathState::File(file) => ops.extend(restore_file(&path, now, file, keep)?),
        PathState::Directory { uid, gid, mode, xattrs } => {
            let (owner, group, mode) = (Principal::Number(*uid), Principal::Number(*gid), *mode);
            let has = match now {
                PathState::Directory { xattrs, .. } => {
                    let (owner, group) = (Some(owner), Some(group));
                    ops.push(Op::SetAttributes { path: path.clone(), owner, group, mode: Some(mode) });
                    xattrs.clone()
                }
                _ => {
                    ops.push(Op::MakeDirectory { path: path.clone(), owner, group, mode });
                    Xattrs::new()
                }
            };
            ops.extend(restore_xattrs(&path, &has, xattrs));
        }
        PathState::Symlink { target, uid, gid } => {
            ops.push(Op::MakeSymlink { path: path.clone(), target: target.clone() });
            if (*uid, *gid) != (0, 0) {
                let (owner, group) = (Some(Principal::Number(*uid)), Some(Principal::Number(*gid)));
                ops.push(Op::SetAttributes { path, owner, group, mode: None });
            }
        }
        PathState::Special { what } => {
            let why = format!("a {what} stood at {path}, which cannot be made again");
            return Err(Failure::refused(why, "make it by hand"));
        }
    }
    Ok(ops)
}

fn restore_file(
    path: &HostPath,
    now: &PathState,
    goal: &FileState,
    keep: &dyn Keep,
) -> Result<Vec<Op>, Failure> {
    let (owner, group) = (Principal::Number(goal.uid), Principal::Number(goal.gid));
    let (same_bytes, has) = match now {
        PathState::File(now) => (now.content == goal.content, now.xattrs.clone()),
        _ => (false, Xattrs::new()),
    };
    let mut ops = if same_bytes {
        let (owner, group) = (Some(owner), Some(group));
        vec![Op::SetAttributes { path: path.clone(), owner, group, mode: Some(goal.mode) }]
    } else {
        let bytes = keep.recall(&goal.content)?;
        let content = match goal.content {
            Fingerprint::Plain(_) => Content::held(bytes.expose().clone()),
            Fingerprint::Keyed(_) => Content::Hidden(Secret::new(bytes.expose().clone().into())),
        };
        let validate = Vec::new();
        vec![Op::WriteFile { path: path.clone(), content, owner, group, mode: goal.mode, validate }]
    };
    ops.extend(restore_xattrs(path, &has, &goal.xattrs));
    Ok(ops)
}

fn restore_xattrs(path: &HostPath, now: &Xattrs, goal: &Xattrs) -> Option<Op> {
    (now != goal).then(|| Op::SetXattrs { path: path.clone(), xattrs: goal.clone() })
}

fn restore_package(name: &str, now: Option<&PackageState>, goal: Option<&PackageState>) -> Vec<Op> {
    let is_held = now.is_some_and(|package| package.held);
    let change = |action| {
        let changes = vec![PackageChange { name: name.to_owned(), action }];
        let held = is_held.then(|| name.to_owned()).into_iter().collect();
        Op::Packages(Transaction { changes, allow_downgrade: true, held, ..Transaction::default() })
    };
    let hold = |hold| Op::HoldPackage { name: name.to_owned(), hold };
    let version = now.and_then(|package| package.version.as_ref());
    let mut ops = Vec::new();
    let wanted = goal.and_then(|package| package.version.as_ref());
    match (goal, wanted) {
        (None, _) => ops.push(change(PackageAction::Purge)),
        (Some(_), None) if version.is_some() => ops.push(change(PackageAction::Remove)),
        (Some(_), None) => {}
        (Some(_), Some(wanted)) if version != Some(wanted) => {
            ops.push(change(PackageAction::Install(Some(wanted.clone()))));
        }
        (Some(_), Some(_)) => {}
    }
    // What is removed is held no more.
    let holds_now = is_held && (ops.is_empty() || wanted.is_some());
    if let Some(goal) = goal.filter(|goal| goal.held != holds_now) {
        ops.push(hold(goal.held));
    }
    ops
}

fn restore_unit(name: &str, now: Option<&UnitState>, goal: Option<&UnitState>) -> Vec<Op> {
    let act = |action| Op::Unit { name: name.to_owned(), action };
    let runs = |unit: Option<&UnitState>| unit.is_some_and(|unit| crate::system::is_running(&unit.active));
    let file = |unit: Option<&UnitState>| unit.map_or(String::new(), |unit| unit.file.clone());
    let (was, is) = (file(goal), file(now));
    let mut ops = Vec::new();
    if is == "masked" && was != "masked" {
        ops.push(act(UnitAction::Unmask));
    }
    match (runs(goal), runs(now)) {
        (false, true) => ops.push(act(UnitAction::Stop)),
        (true, false) => ops.push(act(UnitAction::Start)),
        _ => {}
    }
    if was == "enabled" && is != "enabled" {
        ops.push(act(UnitAction::Enable));
    } else if is == "enabled" && was != "enabled" {
        ops.push(act(UnitAction::Disable));
    }
    if was == "masked" && is != "masked" {
        ops.push(act(UnitAction::Mask));
    }
    ops
}

fn restore_mount(
    path: &HostPath,
    now: Option<&MountState>,
    goal: Option<&MountState>,
) -> Result<Vec<Op>, Failure> {
    let path = path.clone();
    let is_same = |now: &&MountState, goal: &MountState| {
        (&now.source, &now.fs, &now.root) == (&goal.source, &goal.fs, &goal.root)
    };
    let Some(goal) = goal else { return Ok(vec![Op::Unmount { path }]) };
    if now.filter(|now| is_same(now, goal)).is_some() {
        return Ok(vec![Op::Remount { path, options: options_again(goal) }]);
    }
    // A part of a file system has its name by the place where it is seen as well, or by an option of its own.
    let is_named = |option: &str| option == "bind" || option.starts_with("subvol=");
    if goal.root != "/" && !goal.options.split(',').any(is_named) {
        let why = format!("a part of {} was mounted at {path}, and is not found again", goal.source);
        return Err(Failure::refused(why, "mount it by hand"));
    }
    let mut ops: Vec<Op> = now.map(|_| Op::Unmount { path: path.clone() }).into_iter().collect();
    let MountState { source, fs, options, .. } = goal.clone();
    ops.push(Op::Mount { path, source, fs, options });
    Ok(ops)
}

/// All options that bring those of `goal` back: what is not set has to be said as well.
fn options_again(goal: &MountState) -> String {
    let has = |option: &str| goal.options.split(',').any(|it| it == option);
    let unset =
        [("ro", "rw"), ("nosuid", "suid"), ("nodev", "dev"), ("noexec", "exec"), ("noatime", "atime")];
    let unset = unset.iter().filter(|(set, unset)| !has(set) && !has(unset)).map(|(_, unset)| *unset);
    // A part of a file system that is mounted elsewhere has flags of its own: without the word the whole of it would be made read-only.
    // A subvolume of btrfs is no such part.
    let is_bind = goal.root != "/" && goal.fs != "btrfs" && !has("bind");
    let bind = is_bind.then_some("bind");
    // The kernel shows it as neither of the two.
    let strict = (!has("relatime") && !has("noatime")).then_some("strictatime");
    bind.into_iter().chain([goal.options.as_str()]).chain(unset).chain(strict).collect::<Vec<_>>().join(",")
}

fn restore_user(
    name: &str,
    now: Option<&UserState>,
    goal: Option<&UserState>,
    keep: &dyn Keep,
) -> Result<Vec<Op>, Failure> {
    let Some(goal) = goal else { return Ok(vec![Op::RemoveUser { name: name.to_owned() }]) };
    // What is as it was is not said again: every field of the op is a change.
    fn unless<T: PartialEq + Clone>(now: Option<&T>, goal: &T) -> Option<T> {
        (now != Some(goal)).then(|| goal.clone())
    }
    let password = match &goal.password {
        Some(fingerprint) if now.and_then(|now| now.password.as_ref()) != Some(fingerprint) => {
            Some(recall_text(&Subject::User(name.to_owned()), fingerprint, keep)?)
        }
        _ => None,
    };
    if goal.password.is_none() && now.is_some_and(|now| now.password.is_some()) {
        let why = format!("user {name} had no line in /etc/shadow, which no tool takes away");
        return Err(Failure::refused(why, "remove it by hand, and its password with it"));
    }
    let spec = UserSpec {
        name: name.to_owned(),
        uid: unless(now.map(|now| &now.uid), &goal.uid),
        group: unless(now.map(|now| &now.gid), &goal.gid).map(Principal::Number),
        groups: unless(now.map(|now| &now.groups), &goal.groups),
        administers: goal
            .administers
            .clone()
            .filter(|goal| now.and_then(|now| now.administers.as_ref()).unwrap_or(&BTreeSet::new()) != goal),
        home: unless(now.map(|now| &now.home), &goal.home).and_then(|home| HostPath::new(home).ok()),
        manage_home: false,
        shell: unless(now.map(|now| &now.shell), &goal.shell),
        comment: unless(now.map(|now| &now.comment), &goal.comment),
        password,
        locked: None,
        expires: unless(now.map(|now| &now.expires), &goal.expires),
        system: false,
    };
    Ok(vec![if now.is_some() { Op::ModifyUser(spec) } else { Op::AddUser(spec) }])
}

/// A password or a secret value.
fn recall_text(of: &Subject, kept: &Fingerprint, keep: &dyn Keep) -> Result<Secret<String>, Failure> {
    let text = String::from_utf8(keep.recall(kept)?.expose().clone());
    let text = text.map_err(|_| Failure::unknown(of.to_string(), "the secret of it is not UTF-8"))?;
    Ok(Secret::new(text))
}

fn restore_group(
    name: &str,
    now: Option<&GroupState>,
    goal: Option<&GroupState>,
    keep: &dyn Keep,
) -> Result<Vec<Op>, Failure> {
    let Some(goal) = goal else { return Ok(vec![Op::RemoveGroup { name: name.to_owned() }]) };
    let gid = (now.map(|now| now.gid) != Some(goal.gid)).then_some(goal.gid);
    let members = (now.map(|now| &now.members) != Some(&goal.members)).then(|| goal.members.clone());
    let mut spec = GroupSpec { name: name.to_owned(), gid, members, ..GroupSpec::default() };
    if let Some(goal) = &goal.shadow {
        let now = now.and_then(|now| now.shadow.as_ref());
        if now.map(|now| now.password) != Some(goal.password) {
            spec.password = Some(recall_text(&Subject::Group(name.to_owned()), &goal.password, keep)?);
        }
        let nobody = BTreeSet::new();
        let changed = now.map_or(&nobody, |now| &now.administrators) != &goal.administrators;
        spec.administrators = changed.then(|| goal.administrators.clone());
    }
    Ok(vec![if now.is_some() { Op::ModifyGroup(spec) } else { Op::AddGroup(spec) }])
}

#[cfg(test)]
mod tests {
    use super::restore;
    use crate::undo::MemoryKeep;
    use model::{HostPath, MountState, State, Subject};

    fn mounted(fs: &str, root: &str, options: &str) -> State {
        let [source, fs, root, options] = ["/dev/vda1", fs, root, options].map(str::to_owned);
        State::Mount(Some(MountState { source, fs, root, options }))
    }

    #[test]
    fn options_of_a_part_are_brought_back_for_that_part_alone() {
        let subject = Subject::Mount(HostPath::new("/srv/a").unwrap());
        for (fs, root, options) in [
            ("ext4", "/var/a", "bind,ro,nosuid,relatime,dev,exec,atime"),
            ("ext4", "/", "ro,nosuid,relatime,dev,exec,atime"),
            ("btrfs", "/@home", "ro,nosuid,relatime,dev,exec,atime"),
        ] {
            let (now, goal) = (mounted(fs, root, "rw"), mounted(fs, root, "ro,nosuid,relatime"));
            let ops = restore(&subject, &now, &goal, &MemoryKeep::default()).unwrap();
            let ops: Vec<String> = ops.iter().map(ToString::to_string).collect();
            assert_eq!(ops, [format!("remount /srv/a {options}")], "{fs} {root}");
        }
    }
}
