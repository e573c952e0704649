//! What adding a user left in the home that was made with it, where the end of that was never written down: copies of what is in /etc/skel.
//! Only those are taken for it; whatever else is in the home by now is somebody's.

use super::job::Rollback;
use crate::system::Look;
use crate::undo::{CompareOnly, Secrecy, capture};
use model::{Act, Failure, HostPath, Op, Outcome, PathState, State, Status, Subject};

/// Fills in what the ops of `status` left of the skeleton that added users and were cut off, or failed.
pub(super) fn complete(rollback: &Rollback<'_>, status: &mut Status) -> Result<(), Failure> {
    let skeleton = HostPath::new("/etc/skel").expect("it is a host path");
    for act in status.acts.values_mut() {
        let Some(home) = new_home(act) else { continue };
        let (because, mut touched) = match &act.outcome {
            Outcome::Open => ("it was cut off".to_owned(), Vec::new()),
            Outcome::Failed(because, touched) => (because.clone(), touched.clone()),
            Outcome::Done(..) => continue,
        };
        touched.extend(copies(rollback, &skeleton, &home)?);
        act.outcome = Outcome::Failed(because, touched);
    }
    Ok(())
}

/// The home that was not there before the op.
fn new_home(act: &Act) -> Option<HostPath> {
    let home = |(subject, before): &(Subject, State)| match (subject, before) {
        (Subject::Path(home), State::Path(PathState::Absent)) => Some(home.clone()),
        _ => None,
    };
    matches!(act.op, Op::AddUser(_)).then(|| act.before.iter().find_map(home)).flatten()
}

/// What is below `to` as it is below `from`, as changes of what was not there; directories before what is in them.
fn copies(
    rollback: &Rollback<'_>,
    from: &HostPath,
    to: &HostPath,
) -> Result<Vec<(Subject, State, State)>, Failure> {
    let (system, store) = (rollback.system, rollback.state.store());
    let state =
        |path: &HostPath| capture(system, &Subject::Path(path.clone()), Secrecy::Open, &CompareOnly(&store));
    let mut found = Vec::new();
    if system.look(from, Look::Bare)?.is_none() || system.look(to, Look::Bare)?.is_none() {
        return Ok(found);
    }
    for name in system.list(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        let now = state(&to)?;
        if !is_copy(&state(&from)?, &now) {
            continue;
        }
        let is_directory = matches!(now, State::Path(PathState::Directory { .. }));
        found.push((Subject::Path(to.clone()), State::Path(PathState::Absent), now));
        if is_directory {
            found.extend(copies(rollback, &from, &to)?);
        }
    }
    Ok(found)
}

/// Whose it is does not count: a copy is its user's.
fn is_copy(model: &State, now: &State) -> bool {
    match (model, now) {
        (State::Path(PathState::File(model)), State::Path(PathState::File(now))) => {
            model.content == now.content
        }
        (
            State::Path(PathState::Symlink { target: model, .. }),
            State::Path(PathState::Symlink { target: now, .. }),
        ) => model == now,
        (State::Path(PathState::Directory { .. }), State::Path(PathState::Directory { .. })) => true,
        _ => false,
    }
}
