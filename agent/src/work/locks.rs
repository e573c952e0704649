//! Locks that people put on the host, list and take away. They keep no run from going on that is under way.

use super::means::Means;
use crate::engine::matcher;
use model::{Failure, SoftLock};
use wire::{Ending, Reply};

/// Longest text of a lock, in bytes.
const LONGEST: usize = 1000;

/// Puts a lock, from now on by the host's clock.
pub(super) fn lock(lock: &SoftLock, means: &Means<'_>) -> Result<Ending, Failure> {
    for (what, text) in [("owner", &lock.owner), ("reason", &lock.reason)] {
        check(what, text)?;
    }
    if let Some(pattern) = &lock.resource {
        check("resource", pattern)?;
        matcher(pattern)?;
    }
    if lock.seconds == 0 {
        return Err(Failure::refused("a lock has to last", "say how long with --for, such as --for 2h"));
    }
    means.state.put_soft_lock(lock.clone(), &(means.clock)())?;
    Ok(Ending::Unchanged)
}

fn check(what: &str, text: &str) -> Result<(), Failure> {
    let help = format!("say it in one line of at most {LONGEST} bytes");
    match text {
        _ if text.trim().is_empty() => Err(Failure::refused(format!("the lock has no {what}"), help)),
        _ if text.len() > LONGEST || text.chars().any(char::is_control) => {
            Err(Failure::refused(format!("the {what} of the lock is no line of text"), help))
        }
        _ => Ok(()),
    }
}

/// Takes locks away.
pub(super) fn unlock(resource: Option<&str>, means: &Means<'_>) -> Result<Ending, Failure> {
    means.state.remove_soft_locks(resource, &(means.clock)())?;
    Ok(Ending::Unchanged)
}

/// Lists them.
pub(super) fn locks(means: &Means<'_>) -> Result<Ending, Failure> {
    means.controller.reply(Reply::Locks(means.state.soft_locks(&(means.clock)())?))?;
    Ok(Ending::Unchanged)
}
