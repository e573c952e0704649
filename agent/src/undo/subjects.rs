//! What an op touches, and how far that can be brought back.

use super::Secrecy;
use model::{Diff, HostPath, Op, PathState, Reversibility, State, Step, Subject, UnitAction, UserSpec, Val};

/// The subjects whose before-image must be durable before the op is executed.
pub fn subjects(op: &Op) -> Vec<Subject> {
    match op {
        Op::WriteFile { path, .. }
        | Op::SetAttributes { path, .. }
        | Op::SetXattrs { path, .. }
        | Op::MakeDirectory { path, .. }
        | Op::MakeSymlink { path, .. }
        | Op::Remove { path } => vec![Subject::Path(path.clone())],
        Op::Packages(transaction) => {
            transaction.changes.iter().map(|change| Subject::Package(change.name.clone())).collect()
        }
        Op::HoldPackage { name, .. } => vec![Subject::Package(name.clone())],
        Op::Unit { name, .. } => vec![Subject::Unit(name.clone())],
        Op::AddGroup(spec) | Op::ModifyGroup(spec) => vec![Subject::Group(spec.name.clone())],
        Op::RemoveGroup { name } => vec![Subject::Group(name.clone())],
        Op::ModifyUser(spec) => vec![Subject::User(spec.name.clone())],
        // A group of the same name may come with a user, and may go with it. It is restored after the user on the way
        // out and before it on the way in: subjects are undone last one first.
        Op::AddUser(spec) => {
            let accounts = [Subject::Group(spec.name.clone()), Subject::User(spec.name.clone())];
            accounts.into_iter().chain(home(spec).map(Subject::Path)).collect()
        }
        Op::RemoveUser { name } => vec![Subject::User(name.clone()), Subject::Group(name.clone())],
        Op::Together(together) => together.changes.iter().flat_map(subjects).collect(),
        Op::Mount { path, .. } | Op::Remount { path, .. } | Op::Unmount { path } => {
            vec![Subject::Mount(path.clone())]
        }
        Op::SetSysctl { path, .. } => vec![Subject::Sysctl(path.clone())],
        Op::ReloadManager | Op::Run(_) | Op::Check(_) | Op::Reboot => Vec::new(),
    }
}

/// The home that is made with a new user, unless it is there already: then it is none of the op's.
fn home(spec: &UserSpec) -> Option<HostPath> {
    let usual = || HostPath::new(format!("/home/{}", spec.name)).ok();
    spec.home.clone().or_else(usual).filter(|_| spec.manage_home)
}

/// Whether the op leaves alone what stands where it would make something; then that is none of its subjects.
pub fn spares(op: &Op, (subject, before): (&Subject, &State)) -> bool {
    let is_there = *before != State::Path(PathState::Absent);
    matches!((op, subject), (Op::AddUser(_), Subject::Path(_))) && is_there
}

/// Whether the before-image of what the op touches is secret as well.
pub fn secrecy(op: &Op) -> Secrecy {
    match op {
        Op::WriteFile { content, .. } if content.is_secret() => Secrecy::Secret,
        Op::SetSysctl { value, .. } if value.is_secret() => Secrecy::Secret,
        Op::Together(together)
            if together.changes.iter().any(|change| secrecy(change) == Secrecy::Secret) =>
        {
            Secrecy::Secret
        }
        _ => Secrecy::Open,
    }
}

/// How far a step can be undone: as far as its op; but what is neither file, directory nor link is never made again.
pub fn reversibility_of(step: &Step) -> Reversibility {
    let lasting = |what: &str| matches!(what, "file" | "directory" | "empty directory" | "symlink");
    let is_lost =
        |diff: &Diff| matches!(&diff.before, Val::Text(what) if diff.field == "ensure" && !lasting(what));
    match &step.op {
        Op::Remove { .. } if step.diffs.iter().any(is_lost) => Reversibility::None,
        op => reversibility(op),
    }
}

/// How far an op can be undone.
pub fn reversibility(op: &Op) -> Reversibility {
    match op {
        Op::Packages(_) | Op::AddUser(_) | Op::RemoveUser { .. } => Reversibility::BestEffort,
        // What memory held is gone with its mount, and a part of a file system is not found again.
        Op::Unmount { .. } | Op::Remount { .. } => Reversibility::BestEffort,
        Op::Unit { action: UnitAction::Restart | UnitAction::Reload, .. } => Reversibility::None,
        Op::Run(command) if command.undo.is_empty() => Reversibility::None,
        Op::Reboot => Reversibility::None,
        Op::Run(_) => Reversibility::BestEffort,
        _ => Reversibility::Exact,
    }
}
