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
        let answer = post(&self.outside, to, &target, (&[], &body));
        let is_key = answer.as_ref().is_ok_and(|answer| blames_key(&answer.body.bytes));
        match fate(answer, &self.settings.url, Some(&key)) {
            // A key can be put right, and then somebody is to hear of it.
            Fate::Refused(why) if is_key => Fate::Later(why, None),
            fate => fate,
        }
    }
}

/// Whether an answer says that the key is wrong, and not the event ("Send an Event", the bodies of 400).
fn blames_key(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_lowercase();
    ["routing key", "routing_key", "invalid key"].iter().any(|words| text.contains(words))
}

/// Where an event goes, and the event with its key.
pub(super) fn filled(payload: &[u8], key: &[u8]) -> Option<(String, Vec<u8>)> {
    let text = std::str::from_utf8(payload).ok()?;
    let (target, event) = text.split_once('\n')?;
    let mut event: Map<String, Value> = serde_json::from_str(event).ok()?;
    event.insert("routing_key".to_owned(), json!(std::str::from_utf8(key).ok()?));
    Some((target.to_owned(), serde_json::to_vec(&event).ok()?))
}

#[cfg(test)]
mod tests {
    use super::Pager;
    use crate::report::outbox::{Courier, Fate};
    use crate::report::way::Outside;
    use crate::settings::read;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// What becomes of an event where the answer is 400 and this.
    fn answered(body: &'static str) -> Fate {
        let dir = tempfile::tempdir().unwrap();
        let key = agent::state::StateDir::new(dir.path());
        key.write("key", &[b'k'; 32]).unwrap();
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v2", server.local_addr().unwrap());
        let answering = std::thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let (mut asked, mut buffer) = (Vec::new(), [0; 1024]);
            while !asked.ends_with(b"}") {
                let count = stream.read(&mut buffer).unwrap();
                asked.extend_from_slice(&buffer[..count]);
            }
            let head = format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        });
        let path = dir.path().join("key");
        let text = format!(
            "[source]\nfile = \"/x\"\n[reports.pagerduty]\nrouting_key_file = \"{}\"\nurl = \"{url}\"\n",
            path.display()
        );
        let settings = read("x", &text).unwrap().reports.pagerduty.unwrap();
        let fate = Pager::new(&settings, &Outside::default()).carry(b"/enqueue\n{}");
        answering.join().unwrap();
        fate
    }

    #[test]
    fn what_a_wrong_key_was_refused_for_is_told_once_it_is_right() {
        let wrong_key = r#"{"status":"invalid event","errors":["Invalid routing key"]}"#;
        assert!(matches!(answered(wrong_key), Fate::Later(why, None) if why.contains("Invalid routing key")));
        let wrong_event = r#"{"status":"invalid event","errors":["'severity' is wrong"]}"#;
        assert!(matches!(answered(wrong_event), Fate::Refused(_)));
    }
}
