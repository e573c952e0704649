//! A web server of the user's: each report is posted to it, as the line of JSON that is kept here too, signed where there is a key.

use super::key::Key;
use super::outbox::{Courier, Fate, Letters};
use super::queue::Lost;
use super::way::{Outside, fate, post};
use super::{Told, What};
use crate::EventName;
use crate::receivers;
use crate::status::Status;
use hmac::{Hmac, KeyInit, Mac};
use model::{Digest, Failure};
use sha2::Sha256;

/// What waits for it is in this folder.
pub const NAME: &str = "webhook";

/// `sha256=` and the HMAC-SHA256 (RFC 2104) of the body, in hex.
const SIGNATURE: &str = "X-Evenkeel-Signature";

/// The same for what is posted again: by it a receiver knows what it has had.
const DELIVERY: &str = "X-Evenkeel-Delivery";

/// What is made of reports.
pub struct Webhook {
    events: Vec<EventName>,
}

impl Webhook {
    /// As the settings say.
    pub fn new(settings: &receivers::Webhook) -> Self {
        Self { events: settings.events.clone() }
    }
}

impl Letters for Webhook {
    fn name(&self) -> &'static str {
        NAME
    }

    fn letters(&mut self, told: &Told, _: &Status) -> Result<Vec<Vec<u8>>, Failure> {
        if !self.events.is_empty() && !self.events.contains(&told.what.name()) {
            return Ok(Vec::new());
        }
        let line = serde_json::to_vec(told).map_err(|error| Failure::io("describe", "a report", error))?;
        Ok(vec![line])
    }

    fn lost(&self, lost: &Lost, host: &str, at: &str) -> Option<Vec<u8>> {
        let what = What::Note { text: lost.words() };
        serde_json::to_vec(&Told { at: at.to_owned(), host: host.to_owned(), catalog: None, what }).ok()
    }
}

/// Who posts them.
pub struct Poster {
    settings: receivers::Webhook,
    outside: Outside,
    key: Option<Key>,
}

impl Poster {
    /// As the settings say.
    pub fn new(settings: &receivers::Webhook, outside: &Outside) -> Self {
        let key = settings.key_file.as_ref();
        let key = key.map(|file| Key { path: file.path().to_owned(), outside: outside.clone() });
        Self { settings: settings.clone(), outside: outside.clone(), key }
    }
}

impl Courier for Poster {
    fn carry(&mut self, payload: &[u8]) -> Fate {
        let key = match self.key.as_ref().map(Key::read).transpose() {
            Ok(key) => key,
            Err(why) => return Fate::Later(why, None),
        };
        let mut delivery = Digest::of(payload).to_string();
        delivery.truncate(32);
        let signature = key.as_ref().map(|key| signature(key.expose(), payload));
        let mut fields = vec![(DELIVERY, delivery.as_str())];
        fields.extend(signature.as_deref().map(|signature| (SIGNATURE, signature)));
        let to = (&self.settings.url, self.settings.ca.as_ref().map(receivers::Whole::path));
        let answer = post(&self.outside, to, &self.settings.url.target, (&fields, payload));
        fate(answer, &self.settings.url, key.as_ref())
    }
}

/// The value of the field.
fn signature(key: &[u8], body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do (RFC 2104)");
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

#[cfg(test)]
mod tests {
    use super::{Webhook, signature};
    use crate::EventName;
    use crate::report::outbox::Letters;
    use crate::report::{Told, What};
    use crate::status::Status;
    use agent::checks::Url;

    /// RFC 4231, test case 2.
    #[test]
    fn a_body_is_signed_as_the_rfc_has_it() {
        let wanted = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature(b"Jefe", b"what do ya want for nothing?"), wanted);
    }

    #[test]
    fn it_is_the_line_that_is_kept_here_and_only_what_is_wanted() {
        let told = |what| Told { at: "t".into(), host: "h".into(), catalog: None, what };
        let settings = crate::receivers::Webhook {
            url: Url::parse("http://a/").unwrap(),
            key_file: None,
            ca: None,
            events: vec![EventName::Stopped],
        };
        let mut webhook = Webhook::new(&settings);
        let letters = webhook.letters(&told(What::Stopped), &Status::default()).unwrap();
        let line = b"{\"at\":\"t\",\"host\":\"h\",\"catalog\":null,\"event\":\"stopped\"}".to_vec();
        assert_eq!(letters, [line]);
        assert!(webhook.letters(&told(What::Resumed), &Status::default()).unwrap().is_empty());
    }
}
