//! Who is told of what the agent does, away from this host: the tables `[reports.*]` of the settings. Each value is checked as it is read,
//! so that a mistake has its place. It connects to nobody; `report` does.

use crate::EventName;
use agent::checks::Url;
use serde::{Deserialize, Deserializer, de};
use std::path::{Path, PathBuf};

/// A web server that takes each report as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where it is posted to.
    pub url: Url,
    /// A file with the key that signs what is posted, root's alone or sealed by age; nothing is signed without.
    pub key_file: Option<Whole>,
    /// Certificates that are trusted in place of the system's, as PEM.
    pub ca: Option<Whole>,
    /// The events that are told; all of them where there is none.
    #[serde(default)]
    pub events: Vec<EventName>,
}

/// `PagerDuty`, by its Events API v2.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagerDuty {
    /// A file with the routing key, root's alone or sealed by age.
    pub routing_key_file: Whole,
    /// Where its API is: another one in Europe.
    #[serde(default = "pagerduty")]
    pub url: Url,
    /// Certificates that are trusted in place of the system's, as PEM.
    pub ca: Option<Whole>,
    /// How bad a host is where something failed.
    #[serde(default = "error")]
    pub failed: Severity,
    /// How bad a host is that drifted.
    #[serde(default = "warning")]
    pub drifted: Severity,
    /// Whether a new catalog is told as a change.
    #[serde(default = "yes")]
    pub changes: bool,
}

fn pagerduty() -> Url {
    let target = "/v2".to_owned();
    Url { tls: true, host: "events.pagerduty.com".to_owned(), port: 443, target }
}

fn error() -> Severity {
    Severity::Error
}

fn warning() -> Severity {
    Severity::Warning
}

fn yes() -> bool {
    true
}

/// How bad something is, as `PagerDuty` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The worst.
    Critical,
    /// Somebody is to look.
    Error,
    /// It can wait.
    Warning,
    /// Nobody has to.
    Info,
}

/// Whoever takes syslog.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Syslog {
    /// Where it is.
    #[serde(default)]
    pub to: Collector,
    /// Certificates that are trusted in place of the system's, as PEM.
    pub ca: Option<Whole>,
}

/// Where syslog goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Collector {
    /// A socket of this host.
    Socket(PathBuf),
    /// Datagrams (RFC 5426): what is lost is lost.
    Udp(String, u16),
    /// A connection (RFC 6587, 3.4.1).
    Tcp(String, u16),
    /// A connection with TLS (RFC 5425).
    Tls(String, u16),
}

impl Default for Collector {
    fn default() -> Self {
        Self::Socket(PathBuf::from("/dev/log"))
    }
}

impl<'de> Deserialize<'de> for Collector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        collector(&text).ok_or_else(|| {
            let help = "write a socket such as /dev/log, or udp://HOST:514, tcp://HOST:601, tls://HOST:6514";
            de::Error::custom(format!("nothing takes syslog there: {help}"))
        })
    }
}

fn collector(text: &str) -> Option<Collector> {
    if text.starts_with('/') {
        return Some(Collector::Socket(PathBuf::from(text)));
    }
    let (scheme, rest) = text.split_once("://")?;
    let (host, port) = rest.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host).to_owned();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    let port = port.parse().ok().filter(|port| *port > 0)?;
    if host.is_empty() || !host.bytes().all(is_name) {
        return None;
    }
    match scheme {
        "udp" => Some(Collector::Udp(host, port)),
        "tcp" => Some(Collector::Tcp(host, port)),
        "tls" => Some(Collector::Tls(host, port)),
        _ => None,
    }
}

/// A path from the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole(PathBuf);

impl Whole {
    /// It.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = PathBuf::deserialize(deserializer)?;
        match path.is_absolute() {
            true => Ok(Self(path)),
            false => Err(de::Error::custom("this is no whole path: write it from the root, `/`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Collector, Severity, collector};
    use crate::settings::read;

    fn settings(reports: &str) -> String {
        format!("[source]\nfile = \"/srv/site.toml\"\n{reports}")
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let text = settings("[reports.pagerduty]\nrouting_key_file = \"/k\"\n[reports.syslog]\n");
        let reports = read("agent.toml", &text).unwrap().reports;
        let pager = reports.pagerduty.unwrap();
        assert_eq!(
            (pager.url.authority(), pager.url.target.as_str()),
            ("events.pagerduty.com".into(), "/v2")
        );
        assert_eq!((pager.failed, pager.drifted, pager.changes), (Severity::Error, Severity::Warning, true));
        assert_eq!(reports.syslog.unwrap().to, Collector::Socket("/dev/log".into()));
    }

    #[test]
    fn a_collector_is_a_socket_or_an_address() {
        assert_eq!(collector("udp://[::1]:514"), Some(Collector::Udp("::1".into(), 514)));
        assert_eq!(
            collector("tls://logs.example.org:6514"),
            Some(Collector::Tls("logs.example.org".into(), 6514))
        );
        for text in ["", "logs", "udp://logs", "ftp://logs:1", "tcp://:1", "tcp://a b:1", "tcp://a:0"] {
            assert_eq!(collector(text), None, "{text}");
        }
    }

    #[test]
    fn each_mistake_is_told_at_its_place() {
        for (text, at, part) in [
            ("[reports.webhook]\nurl = \"x\"\n", (4, 7), "no URL"),
            ("[reports.webhook]\nurl = \"http://a/\"\nkey_file = \"k\"\n", (5, 12), "no whole path"),
            (
                "[reports.webhook]\nurl = \"http://a/\"\nevents = [\"dritf\"]\n",
                (5, 11),
                "expected one of `started`",
            ),
            ("[reports.webhook]\n", (3, 1), "missing field `url`"),
            ("[reports.pagerduty]\nrouting_key = \"x\"\n", (4, 1), "unknown field"),
            (
                "[reports.pagerduty]\nrouting_key_file = \"/k\"\nfailed = \"bad\"\n",
                (5, 10),
                "unknown variant",
            ),
            ("[reports.syslog]\nto = \"udp://h\"\n", (4, 6), "nothing takes syslog there"),
        ] {
            let found = read("agent.toml", &settings(text)).unwrap_err();
            assert_eq!(
                (found[0].labels[0].span.line_col(), found[0].message.contains(part)),
                (at, true),
                "{found:?}"
            );
        }
    }
}
