//! The agent that keeps the host: how it is, as it has written that down itself, and the pauses that people put. What it says is not known
//! here: `daemon` writes and reads it. No run is made, and none is waited for.

use super::means::Means;
use crate::os::lock::holder;
use crate::state::StateDir;
use jiff::{SignedDuration, Timestamp};
use model::Failure;
use std::io::ErrorKind;
use wire::{Ending, Keeping, Pause, Reply};

/// Where it writes down how it is, in the host's state.
pub const STATUS: &str = "agent/status";
/// Who is the agent of the host holds this.
pub const LOCK: &str = "agent/lock";
/// The folder of what people tell it: another one than that of what it writes itself, so that it does not wake itself up.
pub const ORDERS: &str = "orders";
/// Where a pause stands.
pub const PAUSE: &str = "orders/pause";

/// Longest text of a pause, in bytes.
const LONGEST: usize = 1000;

/// Tells it.
pub(super) fn keeping(means: &Means<'_>) -> Result<Ending, Failure> {
    means.controller.reply(Reply::Keeping(Box::new(read(means.state)?)))?;
    Ok(Ending::Unchanged)
}

/// Tells its settings as they are written.
pub(super) fn settings(path: &str, means: &Means<'_>) -> Result<Ending, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::io("read", path, error)),
    };
    means.controller.reply(Reply::Settings(text))?;
    Ok(Ending::Unchanged)
}

/// Pauses it from now on, by the host's clock, and tells how it is.
pub(super) fn pause(wanted: &Pause, means: &Means<'_>) -> Result<Ending, Failure> {
    put_pause(means.state, &Pause { since: (means.clock)(), ..wanted.clone() })?;
    keeping(means)
}

/// Has it go on, and tells how it is.
pub(super) fn resume(means: &Means<'_>) -> Result<Ending, Failure> {
    end_pause(means.state)?;
    keeping(means)
}

/// Puts a pause, in place of another.
///
/// # Errors
/// It says too little, or has no end, or could not be written.
pub fn put_pause(state: &StateDir, pause: &Pause) -> Result<(), Failure> {
    for (what, text) in [("name", &pause.by), ("reason", &pause.reason)] {
        if text.trim().is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
            let why = format!("the {what} of the pause is no line of text");
            return Err(Failure::refused(why, format!("say it in one line of at most {LONGEST} bytes")));
        }
    }
    if pause.seconds == 0 || end_of(pause).is_none() {
        let help = "say how long with --for, such as --for 2h";
        return Err(Failure::refused("a pause has to last, and to end", help));
    }
    state.make_folder(ORDERS)?;
    let bytes = serde_json::to_vec(pause).map_err(|error| Failure::io("describe", PAUSE, error))?;
    state.write(PAUSE, &bytes)
}

/// Ends the pause, where there is one.
///
/// # Errors
/// It could not be written.
pub fn end_pause(state: &StateDir) -> Result<(), Failure> {
    state.make_folder(ORDERS)?;
    state.write(PAUSE, b"")
}

/// When a pause ends; `None` where that cannot be told.
pub fn end_of(pause: &Pause) -> Option<Timestamp> {
    let since: Timestamp = pause.since.parse().ok()?;
    since.checked_add(SignedDuration::from_secs(i64::try_from(pause.seconds).ok()?)).ok()
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
