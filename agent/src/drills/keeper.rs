//! Whether the agent of the host, which keeps it even, is at work. It is not this program: that one is told so by `systemd` and by what
//! somebody has told it.

use super::tools::{Tools, well};
use crate::state::StateDir;
use jiff::{SignedDuration, Timestamp};
use model::Failure;
use serde::Deserialize;

/// Its unit.
const UNIT: &str = "evenkeel-agent.service";
/// Where it is told to pause.
const PAUSE: &str = "orders/pause";

/// What is read of a pause.
#[derive(Deserialize)]
struct Pause {
    by: String,
    since: String,
    seconds: i64,
}

/// Why the agent is not at work; `None` where it is.
///
/// # Errors
/// It cannot be told.
pub fn idle(state: &StateDir, tools: &dyn Tools, now: &str) -> Result<Option<String>, Failure> {
    if !tools.has_services() {
        return Ok(Some("no agent keeps this host: no service manager runs here".to_owned()));
    }
    let argv = ["systemctl", "show", "--property=ActiveState", "--value", "--", UNIT];
    let found = well(tools, &argv, "")?.out;
    if found.trim() != "active" {
        return Ok(Some(format!("no agent keeps this host: {UNIT} is {}", found.trim())));
    }
    let Some(bytes) = state.read(PAUSE)?.filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
    let unknown = |why: String| Failure::unknown("the pause of the agent", why);
    let pause: Pause = serde_json::from_slice(&bytes).map_err(|error| unknown(error.to_string()))?;
    let time = |text: &str| text.parse::<Timestamp>().map_err(|error| unknown(error.to_string()));
    let until = time(&pause.since)?.checked_add(SignedDuration::from_secs(pause.seconds));
    let is_over = until.map_err(|error| unknown(error.to_string()))? <= time(now)?;
    Ok((!is_over).then(|| format!("the agent is paused by {}", pause.by)))
}
