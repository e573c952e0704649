//! How the agent is that keeps the host, as it has written that down itself. What it means is not known here: `daemon` writes and reads it.

use super::means::Means;
use crate::os::lock::holder;
use crate::state::StateDir;
use model::Failure;
use wire::{Ending, Keeping, Reply};

/// Where it writes down how it is, in the host's state.
pub const STATUS: &str = "agent/status";
/// Who is the agent of the host holds this.
pub const LOCK: &str = "agent/lock";
/// Where a pause stands.
pub const PAUSE: &str = "orders/pause";

/// Tells it.
pub(super) fn keeping(means: &Means<'_>) -> Result<Ending, Failure> {
    means.controller.reply(Reply::Keeping(Box::new(read(means.state)?)))?;
    Ok(Ending::Unchanged)
}

/// Reads it.
///
/// # Errors
/// Something cannot be read.
pub fn read(state: &StateDir) -> Result<Keeping, Failure> {
    let unknown = |why: String| Failure::unknown("how the agent of this host is", why);
    let running = match holder(&state.root().join(LOCK))? {
        None => None,
        Some(Ok(by)) => Some((by.pid, by.since)),
        Some(Err(why)) => return Err(unknown(why)),
    };
    let value = |name: &str| match state.read(name)?.filter(|bytes| !bytes.is_empty()) {
        None => Ok(None),
        Some(bytes) => {
            serde_json::from_slice(&bytes).map(Some).map_err(|error| unknown(format!("{name}: {error}")))
        }
    };
    Ok(Keeping { running, status: value(STATUS)?, pause: value(PAUSE)? })
}
