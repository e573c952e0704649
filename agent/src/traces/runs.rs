//! What earlier runs of Evenkeel say: the last one that changed the resource. Where its file was not changed since, it was that run itself.

use super::find::Found;
use crate::state::{Read, StateDir};
use model::{About, Failure, Outcome, Status};
use std::fs::metadata;
use std::os::unix::fs::MetadataExt;

/// Reads the journals, from the last one backwards.
pub(super) fn find(found: &mut [Found], state: &StateDir) -> Result<(), Failure> {
    let mut open: Vec<&mut Found> = found.iter_mut().collect();
    for run in state.numbers()?.into_iter().rev() {
        if open.is_empty() {
            break;
        }
        let (Read::Whole(status) | Read::Damaged(status, _)) = state.status(run)? else { continue };
        let ended = metadata(state.run_dir(run).join("journal")).map(|meta| meta.mtime()).ok();
        open.retain_mut(|one| !tell(one, &status, ended));
    }
    Ok(())
}

/// True where the run changed the resource. `ended` is when its journal was written last.
fn tell(one: &mut Found, status: &Status, ended: Option<i64>) -> bool {
    let acts = status.acts.values().filter(|act| matches!(act.outcome, Outcome::Done(..)));
    let Some(begin) =
        status.begin.as_ref().filter(|_| acts.flat_map(|act| &act.nodes).any(|id| *id == one.id))
    else {
        return false;
    };
    let began = begin.at.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
    let (_, changed) = one.span();
    let was_it =
        matches!((began, changed, ended), (Some(began), Some(at), Some(ended)) if began <= at && at <= ended);
    let (about, says) = if was_it {
        (About::Who, format!("`keel {}` changed it last", begin.command))
    } else {
        (About::Good, format!("`keel {}` left it as it was to be", begin.command))
    };
    // What the run itself did on the way is no news.
    let at = if was_it { began } else { ended.or(began) };
    one.tell(about, at, (format!("run {}", begin.run), says));
    true
}
