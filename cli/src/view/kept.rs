//! How the agents of hosts are, from what the hosts have written down: the words are `agent`'s.

use serde_json::{Value, json};
use wire::Keeping;

/// For people.
pub fn lines(keeping: &Keeping) -> Vec<String> {
    #[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
    {
        let now = crate::clock::seconds().try_into().unwrap_or(0);
        match daemon::status::of(keeping.clone(), now) {
            Ok(told) => super::agent::lines(&told, now),
            Err(failure) => vec![failure.to_string()],
        }
    }
    #[cfg(not(all(target_os = "linux", not(feature = "elsewhere"))))]
    vec![json(keeping).to_string()]
}

/// For programs: what is written down, as it is, without a pause that is over.
pub fn json(keeping: &Keeping) -> Value {
    #[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
    if let Ok(told) = daemon::status::of(keeping.clone(), crate::clock::seconds().try_into().unwrap_or(0))
        && told.paused.is_none()
        && keeping.pause.is_some()
    {
        return json(&Keeping { pause: None, ..keeping.clone() });
    }
    let running = keeping.running.as_ref().map(|(pid, since)| json!({ "pid": pid, "since": since }));
    json!({ "event": "agent", "running": running, "paused": keeping.pause, "status": keeping.status })
}
