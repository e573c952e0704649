//! What the agent of the host has noticed, as it wrote it down: since when a resource is not as it was, and who fights over it.

use super::find::Found;
use crate::state::StateDir;
use model::{About, Failure, Id};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Where the agent writes how it is. `daemon::status` has all of it.
const NAME: &str = "agent/status";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    drift: BTreeMap<Id, Since>,
    fights: BTreeMap<Id, Fight>,
}

#[derive(Deserialize)]
struct Since {
    since: String,
}

#[derive(Deserialize)]
struct Fight {
    other: String,
}

/// Reads it.
pub(super) fn find(found: &mut [Found], state: &StateDir) -> Result<(), Failure> {
    let Some(bytes) = state.read(NAME)? else { return Ok(()) };
    let damaged = |error: serde_json::Error| Failure::unknown("what it noticed", error.to_string());
    let status: Status = serde_json::from_slice(&bytes).map_err(damaged)?;
    let from = "the agent of the host".to_owned();
    for one in found {
        if let Some(since) = status.drift.get(&one.id) {
            one.tell(About::When, since.since.parse().ok(), (from.clone(), "noticed it first".to_owned()));
        }
        if let Some(fight) = status.fights.get(&one.id) {
            one.tell(About::Who, None, (from.clone(), format!("it is fought over: {}", fight.other)));
        }
    }
    Ok(())
}
