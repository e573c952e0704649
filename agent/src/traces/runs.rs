//! What earlier runs of Evenkeel say: the last one that changed the resource. Where its file was not changed since, it was that run itself.

use super::find::Found;
use super::stamp::{latest, latest_stamp, of_file};
use crate::state::{Read, StateDir};
use jiff::Timestamp;
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
        let meta = metadata(state.run_dir(run).join("journal")).ok();
        let ended = meta.and_then(|meta| of_file((meta.mtime(), meta.mtime_nsec())));
        open.retain_mut(|one| !tell(one, &status, ended));
    }
    Ok(())
}

/// True where the run changed the resource. `ended` is when its journal was written last.
fn tell(one: &mut Found, status: &Status, ended: Option<Timestamp>) -> bool {
    let acts = status.acts.values().filter(|act| matches!(act.outcome, Outcome::Done(..)));
    let Some(begin) =
        status.begin.as_ref().filter(|_| acts.flat_map(|act| &act.nodes).any(|id| *id == one.id))
    else {
        return false;
    };
    let began = begin.at.parse::<Timestamp>().ok();
    let (_, changed) = one.span();
    let was_it =
        matches!((began, changed, ended), (Some(began), Some(at), Some(ended)) if was_in((began, ended), at));
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

/// True where a file that was changed `at`, by its stamp, was changed by a run that began by its clock, and whose journal has the stamp `ended`.
fn was_in((began, ended): (Timestamp, Timestamp), at: Timestamp) -> bool {
    began <= latest(at) && at <= latest_stamp(ended)
}

#[cfg(test)]
mod tests {
    use super::was_in;

    #[test]
    fn a_change_in_the_second_in_which_a_run_ended_is_not_of_the_run() {
        let time = |seconds: &str| format!("2026-01-02T00:00:{seconds}Z").parse().unwrap();
        for (began, at, ended, is_it) in [
            ("01.100", "01.150", "01.200", true),
            ("01.100", "01.700", "01.200", false),
            ("01.100", "01.095", "01.200", true),
            ("01.100", "01.050", "01.200", false),
            // A file system that keeps whole seconds, of the file or of the journal.
            ("01.100", "01", "01.200", true),
            ("01.100", "01.700", "01", true),
            ("01.100", "02.100", "01", false),
        ] {
            assert_eq!(was_in((time(began), time(ended)), time(at)), is_it, "{began} {at} {ended}");
        }
    }
}
