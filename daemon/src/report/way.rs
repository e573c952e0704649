//! A way to a receiver away from this host: TCP, TLS on top of it, HTTP on top of that. The daemon has neither TLS nor a resolver of its
//! own: whoever starts it lends it its own. Nothing secret gets into what is said of a failure.

use super::outbox::Fate;
use crate::settings::Settings;
use agent::checks::{Answer, Asked, Certified, Channel, Closed, Names, Tls, Unsecured, Url, ask, connect};
use model::Secret;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// All of it takes no longer.
const TIME: Duration = Duration::from_secs(20);

/// What is lent.
#[derive(Clone, Default)]
pub struct Outside {
    /// What speaks TLS.
    pub tls: Option<&'static (dyn Tls + 'static)>,
    /// Who knows addresses of names.
    pub names: Option<&'static (dyn Names + 'static)>,
    /// Who opens sealed keys.
    pub opens: Option<Arc<dyn Opens>>,
}

/// Who opens what is sealed by age.
pub trait Opens: Send + Sync {
    /// What `sealed` holds, which is the content of `path`.
    ///
    /// # Errors
    /// Why it stays closed, in words.
    fn open(&self, path: &Path, sealed: &[u8]) -> Result<Secret<Vec<u8>>, String>;

    /// Who opens it by these settings.
    fn by(&self, settings: &Settings) -> Arc<dyn Opens>;
}

/// Whom a connection leads to.
#[derive(Clone, Copy)]
pub struct Goal<'a> {
    /// Its name or address.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// A file of certificates that are trusted in place of the system's.
    pub ca: Option<&'a Path>,
}

/// Until when a connection that begins now has to have ended.
pub fn deadline() -> Instant {
    Instant::now() + TIME
}

/// Connects.
///
/// # Errors
/// Why not, in words.
pub fn reach(outside: &Outside, goal: Goal<'_>, until: Instant) -> Result<Box<dyn Channel>, String> {
    let Goal { host, port, tls, ca } = goal;
    let addresses = match (host.parse(), outside.names) {
        (Ok(address), _) => vec![address],
        (Err(_), Some(names)) => names.addresses(host, until).map_err(|failure| failure.to_string())?,
        (Err(_), None) => return Err(format!("nobody here knows the address of {host}")),
    };
    let stream = connect(&addresses, port, until).map_err(|closed| match closed {
        Closed::Refused(why) | Closed::Silent(why) => why,
        Closed::Failed(failure) => failure.to_string(),
    })?;
    if !tls {
        return Ok(Box::new(stream));
    }
    let spoken = outside.tls.ok_or("there is no TLS here")?;
    let ca = match ca {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read the certificates in {}: {error}", path.display()))?,
        None => String::new(),
    };
    spoken.open(stream, &Certified { name: host, valid_for: 0, ca: &ca, until }).map_err(|not| match not {
        Unsecured::Short(short) => format!("{host}: {} is {}, not {}", short.what, short.seen, short.wanted),
        Unsecured::Failed(failure) => failure.to_string(),
    })
}

/// Posts JSON to `target` of the server of `url`.
///
/// # Errors
/// There is no answer; why, in words.
pub fn post(
    outside: &Outside,
    (url, ca): (&Url, Option<&Path>),
    target: &str,
    (fields, body): (&[(&str, &str)], &[u8]),
) -> Result<Answer, String> {
    let until = deadline();
    let goal = Goal { host: &url.host, port: url.port, tls: url.tls, ca };
    let mut channel = reach(outside, goal, until)?;
    let fields = [&[("Content-Type", "application/json")], fields].concat();
    let asked = Asked { method: "POST", target, host: &url.authority(), fields: &fields, body };
    ask(&mut *channel, &asked, until).map_err(|why| format!("{}: {why}", url.authority()))
}

/// What an answer means for what was posted: 2xx took it; 400, 413, 415 and 422 never will, as it is what they do not like; all others
/// may, once somebody has seen to them. `hidden` is what a server may not have us say.
pub fn fate(answer: Result<Answer, String>, url: &Url, hidden: Option<&Secret<Vec<u8>>>) -> Fate {
    let answer = match answer {
        Ok(answer) => answer,
        Err(why) => return Fate::Later(why, None),
    };
    let said = said(&answer.body.bytes, hidden);
    let why = format!("{} answered {}{said}", url.authority(), answer.status);
    match answer.status {
        200..=299 => Fate::Taken,
        400 | 413 | 415 | 422 => Fate::Refused(why),
        _ => Fate::Later(why, retry_after(&answer)),
    }
}

/// RFC 9110, 10.2.3, as far as it is a number.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let field = answer.fields.iter().find(|(name, _)| name == "retry-after")?;
    field.1.parse().ok().map(Duration::from_secs)
}

/// The beginning of what a server said, without what is hidden.
fn said(body: &[u8], hidden: Option<&Secret<Vec<u8>>>) -> String {
    let text = String::from_utf8_lossy(body);
    let text = match hidden.map(|hidden| String::from_utf8_lossy(hidden.expose()).into_owned()) {
        Some(hidden) if !hidden.is_empty() => text.replace(&hidden, model::REDACTED),
        _ => text.into_owned(),
    };
    let short: String = text.chars().map(|it| if it.is_control() { ' ' } else { it }).take(300).collect();
    if short.trim().is_empty() { String::new() } else { format!(": {}", short.trim()) }
}

#[cfg(test)]
mod tests {
    use super::{Fate, fate};
    use agent::checks::{Answer, Url, Wrote};
    use model::Secret;
    use std::time::Duration;

    fn answer(status: u16, body: &str, fields: &[(&str, &str)]) -> Result<Answer, String> {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(Answer { status, fields, body: Wrote { bytes: body.into(), whole: true } })
    }

    #[test]
    fn an_answer_says_whether_it_is_tried_again() {
        let url = Url::parse("http://a/secret-path").unwrap();
        let hidden = Secret::new(b"k3y".to_vec());
        let fate = |it| fate(it, &url, Some(&hidden));
        assert_eq!(fate(answer(202, "", &[])), Fate::Taken);
        let refused = Fate::Refused("a answered 400: no <secret> here".into());
        assert_eq!(fate(answer(400, "no k3y\nhere", &[])), refused);
        let later = Fate::Later("a answered 429".into(), Some(Duration::from_secs(7)));
        assert_eq!(fate(answer(429, "", &[("retry-after", "7")])), later);
        for status in [301, 401, 404, 500, 503] {
            assert!(matches!(fate(answer(status, "", &[])), Fate::Later(_, None)), "{status}");
        }
        assert_eq!(fate(Err("away".into())), Fate::Later("away".into(), None));
    }
}
