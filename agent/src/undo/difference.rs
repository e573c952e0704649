//! What differs between two images of a subject, in words. Bytes are told by their size alone.

use model::{Diff, FileState, Fingerprint, GroupState, PathState, State, Subject, UserState, Val};
use std::collections::BTreeSet;

/// The fields in which `now` is not as `goal`; for things without fields of their own one difference, named by the subject.
pub fn differences(subject: &Subject, now: &State, goal: &State) -> Vec<Diff> {
    let fields = match (now, goal) {
        (State::User(Some(now)), State::User(Some(goal))) => users(now, goal),
        (State::Group(Some(now)), State::Group(Some(goal))) => groups(now, goal),
        (State::Path(PathState::File(now)), State::Path(PathState::File(goal))) => files(now, goal),
        _ => vec![diff(&subject.to_string(), words(now), words(goal))],
    };
    fields.into_iter().filter(|field| field.before != field.after || field.before == Val::Hidden).collect()
}

fn diff(field: &str, before: impl Into<Val>, after: impl Into<Val>) -> Diff {
    Diff { field: field.to_owned(), before: before.into(), after: after.into() }
}

fn users(now: &UserState, goal: &UserState) -> Vec<Diff> {
    let mut fields = vec![
        diff("uid", Some(now.uid), Some(goal.uid)),
        diff("gid", Some(now.gid), Some(goal.gid)),
        diff("comment", now.comment.as_str(), goal.comment.as_str()),
        diff("home", now.home.as_str(), goal.home.as_str()),
        diff("shell", now.shell.as_str(), goal.shell.as_str()),
        diff("groups", names(&now.groups), names(&goal.groups)),
        diff("expires, days since 1970", now.expires, goal.expires),
    ];
    if let (Some(now), Some(goal)) = (&now.administers, &goal.administers) {
        fields.push(diff("administers", names(now), names(goal)));
    }
    if now.password != goal.password {
        fields.push(diff("password", Val::Hidden, Val::Hidden));
    }
    fields
}

fn files(now: &FileState, goal: &FileState) -> Vec<Diff> {
    let mode = |file: &FileState| format!("{:04o}", file.mode);
    let mut fields = vec![
        diff("mode", mode(now), mode(goal)),
        diff("uid", Some(now.uid), Some(goal.uid)),
        diff("gid", Some(now.gid), Some(goal.gid)),
    ];
    if now.content != goal.content {
        fields.insert(0, diff("content", bytes(now), bytes(goal)));
    }
    if now.xattrs != goal.xattrs {
        let names = |file: &FileState| file.xattrs.keys().cloned().collect::<Vec<_>>().join(",");
        fields.push(diff("extended attributes", names(now), names(goal)));
    }
    fields
}

fn bytes(file: &FileState) -> Val {
    match file.content {
        Fingerprint::Plain(digest) => {
            let digest: String = digest.to_string().chars().take(12).collect();
            Val::Text(format!("{} sha256:{digest}", size(file)))
        }
        Fingerprint::Keyed(_) => Val::Hidden,
    }
}

fn size(file: &FileState) -> String {
    format!("{} {}", file.size, if file.size == 1 { "byte" } else { "bytes" })
}

fn groups(now: &GroupState, goal: &GroupState) -> Vec<Diff> {
    let mut fields = vec![
        diff("gid", Some(now.gid), Some(goal.gid)),
        diff("members", names(&now.members), names(&goal.members)),
    ];
    if let (Some(now), Some(goal)) = (&now.shadow, &goal.shadow) {
        fields.push(diff("administrators", names(&now.administrators), names(&goal.administrators)));
        if now.password != goal.password {
            fields.push(diff("password", Val::Hidden, Val::Hidden));
        }
    }
    fields
}

fn names(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

fn words(state: &State) -> Val {
    Val::Text(match state {
        State::Path(PathState::Absent)
        | State::Package(None)
        | State::Unit(None)
        | State::User(None)
        | State::Group(None)
        | State::Sysctl(None)
        | State::Mount(None) => return Val::Absent,
        State::Path(PathState::File(file)) => {
            format!("file of {}, {:04o} {}:{}", size(file), file.mode, file.uid, file.gid)
        }
        State::Path(PathState::Directory { uid, gid, mode, .. }) => {
            format!("directory, {mode:04o} {uid}:{gid}")
        }
        State::Path(PathState::Symlink { target, .. }) => format!("link to {target}"),
        State::Path(PathState::Special { what }) => what.clone(),
        State::Package(Some(package)) => {
            package.version.clone().unwrap_or_else(|| "removed, configuration left".to_owned())
        }
        State::Unit(Some(unit)) => format!("{}, {}", unit.active, unit.file),
        State::User(Some(user)) => format!("uid {}", user.uid),
        State::Group(Some(group)) => format!("gid {}", group.gid),
        State::SecretSysctl(_) => return Val::Hidden,
        State::Sysctl(Some(value)) => value.clone(),
        State::Mount(Some(mount)) => format!("{} ({}, {})", mount.source, mount.fs, mount.options),
    })
}
