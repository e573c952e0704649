//! Who posts what `letters` has made to the Events API. The routing key is put in here, and only when an event is carried.

use crate::receivers;
use crate::report::key::Key;
use crate::report::outbox::{Courier, Fate};
use crate::report::way::{Outside, fate, post};
use serde_json::{Map, Value, json};

/// Who posts them.
pub struct Pager {
    settings: receivers::PagerDuty,
    outside: Outside,
    key: Key,
}

impl Pager {
    /// As the settings say.
    pub fn new(settings: &receivers::PagerDuty, outside: &Outside) -> Self {
        let key = Key { path: settings.routing_key_file.path().to_owned(), outside: outside.clone() };
        Self { settings: settings.clone(), outside: outside.clone(), key }
    }
}

impl Courier for Pager {
    fn carry(&mut self, payload: &[u8]) -> Fate {
        let key = match self.key.read() {
            Ok(key) if key.expose().len() == 32 && key.expose().iter().all(u8::is_ascii_graphic) => key,
            Ok(_) => {
                let name = self.key.path.display();
                return Fate::Later(format!("{name} holds no routing key: that has 32 characters"), None);
            }
            Err(why) => return Fate::Later(why, None),
        };
        let Some((target, body)) = filled(payload, key.expose()) else {
            return Fate::Refused("what was kept of it is damaged".to_owned());
        };
        let target = format!("{}{target}", self.settings.url.target.trim_end_matches('/'));
        let to = (&self.settings.url, self.settings.ca.as_ref().map(receivers::Whole::path));
        fate(post(&self.outside, to, &target, (&[], &body)), &self.settings.url, Some(&key))
    }
}

/// Where an event goes, and the event with its key.
pub(super) fn filled(payload: &[u8], key: &[u8]) -> Option<(String, Vec<u8>)> {
    let text = std::str::from_utf8(payload).ok()?;
    let (target, event) = text.split_once('\n')?;
    let mut event: Map<String, Value> = serde_json::from_str(event).ok()?;
    event.insert("routing_key".to_owned(), json!(std::str::from_utf8(key).ok()?));
    Some((target.to_owned(), serde_json::to_vec(&event).ok()?))
}
