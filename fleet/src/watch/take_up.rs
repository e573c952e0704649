//! A run that an earlier call of this machine lost sight of: before anything new is asked of its host, it is attached to, and its end is
//! seen. What has been kept is no order: it says which run to ask for, and nothing else.

use super::{confirm, follow};
use crate::push::{End, Progress, Way, first, is_lost};
use crate::talk::Task;
use crate::trouble::Trouble;
use wire::Ending;

/// Sees the end of the run that was lost on this host, where there is one.
///
/// # Errors
/// The host is not reached, or the user wants to leave.
pub(crate) fn take_up(way: &Way<'_>) -> Result<(), Trouble> {
    let push = way.push;
    let Some(runs) = push.runs else { return Ok(()) };
    let progress = Progress::new(way.name, push);
    let lost = match runs.lost(way.endpoint) {
        Ok(Some(lost)) => lost,
        Ok(None) => return Ok(()),
        Err(because) => {
            progress.note(&because);
            return Ok(());
        }
    };
    progress.note(&format!(
        "{} was lost sight of here ({}); it is attached to first",
        lost.named(),
        lost.command()
    ));
    progress.recall(way.endpoint, &lost);
    // By a login, for the same reason as in `follow`.
    let fresh = way.endpoint.fresh();
    let way = &Way { endpoint: &fresh, ..*way };
    let reached = first::reach(way, &progress)?;
    let end = match way.talk_over(reached, &progress, Task::attach(&progress)) {
        End::Trouble(trouble) if is_lost(&trouble) => follow(way, &progress, trouble),
        end => end,
    };
    let end = confirm(way, &progress, end);
    match end {
        End::Trouble(trouble) => return Err(trouble),
        End::Ended(Ending::Refused(failure)) => {
            progress.note(&format!("it cannot be attached to any more: {failure}"))
        }
        End::Ended(_) if progress.is_unmatched() => progress.note("it is not the last one there any more"),
        End::Ended(_) | End::Refused(_) => {}
    }
    progress.forget();
    Ok(())
}
