//! The subject `http`: what a web server answers. TLS is not spoken here: it is asked of who has it.

use super::channel::{Certified, Channel, Closed, Tls, Unsecured, reach};
use super::ground::Ground;
use super::http_wire::{Answer, Asked, ask};
use super::subject::Subject;
use super::url::Url;
use super::wanted::{Wanted, shown};
use crate::checks::Wrote;
use crate::kind::Listed;
use model::{CheckSide, Failure, Problem, Shortfall};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Instant;

/// What a web server answers to one request; redirects are not followed. `http = "http://localhost/"` is short for
/// `http = { url = "http://localhost/" }`: it answers with status 200.
///
/// `http://` is asked from the host, unless `from = "keel"`. `https://` is always asked from where `keel` runs, as only `keel` has TLS: it
/// connects to the host's address, whatever the name in the URL, and the name is what the certificate has to be for. Without an answer, or
/// without one in time, the check has failed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// What is asked for, with `http://` or `https://`.
    url: Url,
    /// The status of the answer.
    #[serde(default = "ok")]
    status: u16,
    /// What the body holds: a string that it contains, or a table with `contains`, `lacks`, `equals` or `matches`. Its first MiB is looked at.
    body: Option<Wanted>,
    /// Fields of the answer and what they hold, as of `body`.
    #[serde(default)]
    header: BTreeMap<String, Wanted>,
    /// `GET`, `HEAD` or `OPTIONS`.
    #[serde(default)]
    method: Method,
    /// Fields of the request. They are shown in what is printed: nothing secret belongs here.
    #[serde(default)]
    request: BTreeMap<String, String>,
    /// The name or address that is connected to, in place of that in the URL, or of the host's.
    connect: Option<String>,
    /// What the certificate has to be, of `https://`. It is valid now, for the name in the URL and by somebody whom the system trusts, in any case.
    tls: Option<TlsWanted>,
}

/// What a server's certificate has to be.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsWanted {
    /// How much longer it is valid, such as `"14d"`.
    valid_for: Option<String>,
    /// The name that it is for, in place of that in the URL.
    name: Option<String>,
    /// Certificates that are trusted in place of the system's, as PEM.
    ca: Option<String>,
}

/// What is done. Nothing that changes anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    #[default]
    Get,
    Head,
    Options,
}

fn ok() -> u16 {
    200
}

impl Listed for Http {
    const NAME: &'static str = "http";
    const SHORT: &'static str = "url";
    const EXAMPLE: &'static str = "[check.health]\nhttp = { url = \"http://localhost:8080/health\", body = \"ok\" }\nwithin = \"30s\"\n\n[check.site]\nhttp = { url = \"https://www.example.org/\", header.strict-transport-security = \"max-age\", tls = { valid_for = \"14d\" } }\n\n[check.to-https]\nhttp = { url = \"http://www.example.org/\", status = 301, header.location = \"https://\", connect = \"localhost\" }\n";

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(100..1000).contains(&self.status) {
            let message = format!("{} is no status of HTTP", self.status);
            problems.push(Problem::at("status", message).help("such as 200, 301 or 404"));
        }
        problems.extend(self.body.as_ref().and_then(|wanted| wanted.problem("body")));
        if self.method == Method::Head && self.body.is_some() {
            problems.push(Problem::at("body", "the answer to a HEAD has no body").help("ask with GET"));
        }
        problems.extend(self.header.values().filter_map(|wanted| wanted.problem("header")));
        for (name, value) in &self.request {
            let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || !name.bytes().all(is_token) || value.chars().any(char::is_control) {
                problems.push(Problem::at("request", format!("`{name}` is no field of a request")));
            }
        }
        if self.tls.is_some() && !self.url.tls {
            problems.push(Problem::at("tls", "there is no TLS in `http://`").help("write `https://`"));
        }
        let lapse = self.tls.as_ref().and_then(|tls| tls.valid_for.as_ref());
        if let Some(lapse) = lapse.filter(|it| seconds(it).is_none()) {
            let message = format!("`{lapse}` is no duration");
            problems.push(
                Problem::at("tls", message).help("write a whole number with s, m, h or d, such as \"14d\""),
            );
        }
        problems
    }

    fn sides(&self) -> &'static [CheckSide] {
        if self.url.tls { &[CheckSide::Keel] } else { &[CheckSide::Host, CheckSide::Keel] }
    }
}

impl Subject for Http {
    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure> {
        let until = Instant::now() + ground.timeout;
        let short =
            |seen: String| Ok(vec![Shortfall::new("answer", format_args!("status {}", self.status), seen)]);
        let stream = match reach(self.goal(ground), self.url.port, (ground, until)) {
            Ok(stream) => stream,
            Err(Closed::Refused(why) | Closed::Silent(why)) => return short(why),
            Err(Closed::Failed(failure)) => return Err(failure),
        };
        let mut channel: Box<dyn Channel> = Box::new(stream);
        if self.url.tls {
            let Some(tls) = ground.tls else {
                return Err(Failure::refused(
                    "the host speaks no TLS of its own",
                    "ask from where keel runs",
                ));
            };
            let stream = channel.socket().try_clone();
            let stream = stream.map_err(|error| Failure::io("talk with", &self.url.host, error))?;
            channel = match self.secured(tls, stream, until) {
                Ok(channel) => channel,
                Err(Unsecured::Short(short)) => return Ok(vec![short]),
                Err(Unsecured::Failed(failure)) => return Err(failure),
            };
        }
        let fields: Vec<(&str, &str)> =
            self.request.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let method = match self.method {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Options => "OPTIONS",
        };
        let asked = Asked {
            method,
            target: &self.url.target,
            host: &self.url.authority(),
            fields: &fields,
            body: b"",
        };
        match ask(&mut *channel, &asked, until) {
            Ok(answer) => self.judge(&answer),
            Err(why) => short(why),
        }
    }
}

impl Http {
    /// What is connected to. Where the host is looked at from outside that is the host, whatever the URL calls it.
    fn goal<'a>(&'a self, ground: &'a Ground<'_>) -> &'a str {
        match &self.connect {
            // This machine, said to somebody else, is the host.
            Some(name) if ground.inside.is_some() || !Ground::is_loopback(name) => name,
            _ if ground.inside.is_some() => &self.url.host,
            _ => ground.address,
        }
    }

    fn secured(
        &self,
        tls: &dyn Tls,
        stream: std::net::TcpStream,
        until: Instant,
    ) -> Result<Box<dyn Channel>, Unsecured> {
        let wanted = self.tls.as_ref();
        tls.open(
            stream,
            &Certified {
                name: wanted.and_then(|it| it.name.as_deref()).unwrap_or(&self.url.host),
                valid_for: wanted.and_then(|it| seconds(it.valid_for.as_deref()?)).unwrap_or(0),
                ca: wanted.and_then(|it| it.ca.as_deref()).unwrap_or(""),
                until,
            },
        )
    }

    fn judge(&self, answer: &Answer) -> Result<Vec<Shortfall>, Failure> {
        let mut short = Vec::new();
        if answer.status != self.status {
            let seen = format!("{}; it said {}", answer.status, shown(&answer.body.bytes));
            short.push(Shortfall::new("status", self.status, seen));
        }
        for (name, wanted) in &self.header {
            let found: Vec<&(String, String)> =
                answer.fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).collect();
            let all: Vec<&str> = found.iter().map(|(_, value)| value.as_str()).collect();
            let what = format!("header {name}");
            short.extend(wanted.short(&what, &Wrote { bytes: all.join(", ").into_bytes(), whole: true })?);
        }
        // Of an answer that is another one the body says nothing.
        if let Some(wanted) = self.body.as_ref().filter(|_| answer.status == self.status) {
            short.extend(wanted.short("body", &answer.body)?);
        }
        Ok(short)
    }
}

/// Reads `30s`, `10m`, `1h` or `14d` as seconds.
fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| number.parse::<u64>().ok()?.checked_mul(factor))?
}
