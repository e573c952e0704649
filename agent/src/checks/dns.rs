//! The subject `dns`: what a name server says of a name. It asks by itself: the system's resolver does not tell "there is none" from "I could
//! not ask".

use super::channel::{Closed, connect, hurry, rest};
use super::dns_wire::{Answered, TYPES, answer, question};
use super::ground::Ground;
use super::subject::Subject;
use crate::kind::Listed;
use model::{CheckSide, Failure, Problem, Shortfall};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// What a name server says of a name. `dns = "example.org"` is short for `dns = { name = "example.org" }`: it has an address. /etc/hosts and
/// search domains have no part in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// The name, in full.
    name: String,
    /// The type of record: A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT.
    #[serde(default = "address")]
    r#type: String,
    /// Records that it has, among others, as `dig +short` shows them but without quotes and the last dot: `["10 mail.example.org"]` of MX.
    contains: Option<BTreeSet<String>>,
    /// Whether it has no record of this type. Then `contains` has no place.
    #[serde(default)]
    absent: bool,
    /// Who is asked, an address with or without a port; unless said those of /etc/resolv.conf, one after the other.
    server: Option<String>,
}

fn address() -> String {
    "A".to_owned()
}

/// The most of an answer that is read, in bytes: as much as one over TCP can have.
const LONGEST: usize = 65_535;

impl Listed for Dns {
    const NAME: &'static str = "dns";
    const SHORT: &'static str = "name";
    const EXAMPLE: &'static str = "[check.name-leads-here]\ndns = { name = \"www.example.org\", contains = [\"192.0.2.7\"] }\n\n[check.mail]\ndns = { name = \"example.org\", type = \"MX\", contains = [\"10 mail.example.org\"], server = \"192.0.2.53\" }\nfrom = \"keel\"\n";

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.kind().is_none() {
            let known: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
            let message = format!("`{}` is no type of record that can be asked for", self.r#type);
            problems.push(Problem::at("type", message).help(format!("there is {}", known.join(", "))));
        }
        if let Err(why) = question(0, &self.name, 1) {
            problems.push(Problem::at("name", why).help("write it in full, such as \"www.example.org\""));
        }
        if let Some(server) = self.server.as_ref().filter(|it| socket(it).is_none()) {
            let message = format!("`{server}` is no address");
            problems
                .push(Problem::at("server", message).help("write \"192.0.2.53\" or \"[2001:db8::53]:5353\""));
        }
        if self.absent && self.contains.is_some() {
            problems.push(
                Problem::at("absent", "what is not there holds nothing").help("leave one of the two out"),
            );
        }
        problems
    }

    fn sides(&self) -> &'static [CheckSide] {
        &[CheckSide::Host, CheckSide::Keel]
    }
}

impl Subject for Dns {
    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure> {
        let values = self.ask(ground, Instant::now() + ground.timeout)?;
        let what = format!("{} {}", self.name, self.r#type);
        let seen = if values.is_empty() { "no such record".to_owned() } else { values.join(", ") };
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other.trim_end_matches('.'));
        let missing = |wanted: &&String| !values.iter().any(|value| value == *wanted || same(value, wanted));
        let wanted = match &self.contains {
            _ if self.absent => "no record".to_owned(),
            None => "a record".to_owned(),
            Some(wanted) => wanted.iter().filter(missing).cloned().collect::<Vec<_>>().join(", "),
        };
        let is_so = match &self.contains {
            _ if self.absent => values.is_empty(),
            None => !values.is_empty(),
            Some(_) => wanted.is_empty(),
        };
        Ok(if is_so { Vec::new() } else { vec![Shortfall::new(&what, wanted, seen)] })
    }
}

impl Dns {
    fn kind(&self) -> Option<u16> {
        TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(&self.r#type)).map(|(_, number)| *number)
    }

    /// The records, from the first server that can tell.
    fn ask(&self, ground: &Ground<'_>, until: Instant) -> Result<Vec<String>, Failure> {
        let unknown = |why: String| Failure::unknown(&self.name, why);
        let servers = match self.server.as_deref().and_then(socket) {
            Some(server) => vec![server],
            None => servers(ground)?,
        };
        let (mut why, mut left) = ("/etc/resolv.conf names no server".to_owned(), servers.len() as u32);
        for server in servers {
            let turn = Instant::now() + rest(until) / left.max(1);
            left = left.saturating_sub(1);
            match self.ask_one(server, turn) {
                Ok(values) => return Ok(values),
                Err(because) => why = because,
            }
        }
        Err(unknown(why))
    }

    fn ask_one(&self, server: SocketAddr, until: Instant) -> Result<Vec<String>, String> {
        let kind = self.kind().ok_or("this type of record is not known")?;
        let mut id = [0; 2];
        getrandom::fill(&mut id).map_err(|error| format!("there is no randomness: {error}"))?;
        let asked = question(u16::from_be_bytes(id), &self.name, kind)?;
        let answered = match over_udp(server, &asked, kind, until)? {
            Answered::Cut => over_tcp(server, &asked, kind, until)?,
            answered => answered,
        };
        match answered {
            Answered::Values(values) => Ok(values),
            Answered::Failed(why) => Err(format!("{why} ({server})")),
            Answered::Cut => Err(format!("{server} answers half")),
        }
    }
}

fn over_udp(server: SocketAddr, asked: &[u8], kind: u16, until: Instant) -> Result<Answered, String> {
    let own: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let trouble = |error: std::io::Error| format!("{server} does not answer: {error}");
    let socket = UdpSocket::bind(SocketAddr::new(own, 0)).map_err(trouble)?;
    socket.connect(server).map_err(trouble)?;
    let mut bytes = vec![0; LONGEST];
    let mut patience = Duration::from_secs(1);
    loop {
        socket.send(asked).map_err(trouble)?;
        let again = Instant::now() + patience;
        loop {
            let left = rest(until.min(again));
            if left.is_zero() {
                break;
            }
            socket.set_read_timeout(Some(left)).map_err(trouble)?;
            match socket.recv(&mut bytes) {
                Ok(length) => {
                    // What is no answer to this question is somebody else's, and not heard.
                    let heard = bytes.get(..length).and_then(|bytes| answer(bytes, asked, kind));
                    if let Some(answered) = heard {
                        return Ok(answered);
                    }
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) => {}
                Err(error) => return Err(trouble(error)),
            }
        }
        if rest(until).is_zero() {
            return Err(format!("{server} does not answer"));
        }
        patience *= 2;
    }
}

/// Each message has its length before it (RFC 1035, 4.2.2).
fn over_tcp(server: SocketAddr, asked: &[u8], kind: u16, until: Instant) -> Result<Answered, String> {
    let trouble = |error: std::io::Error| format!("{server} does not answer over TCP: {error}");
    let mut stream = connect(&[server.ip()], server.port(), until).map_err(|closed| match closed {
        Closed::Refused(why) | Closed::Silent(why) => why,
        Closed::Failed(failure) => failure.to_string(),
    })?;
    let length = u16::try_from(asked.len()).map_err(|_| "the question is too long".to_owned())?;
    hurry(&stream, until).map_err(trouble)?;
    stream.write_all(&[&length.to_be_bytes(), asked].concat()).map_err(trouble)?;
    let mut read = |size: usize| -> std::io::Result<Vec<u8>> {
        let (mut bytes, mut at) = (vec![0; size], 0);
        while let Some(left) = bytes.get_mut(at..).filter(|left| !left.is_empty()) {
            hurry(&stream, until)?;
            match stream.read(left)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                got => at += got,
            }
        }
        Ok(bytes)
    };
    let head = read(2).map_err(trouble)?;
    let size = head.iter().fold(0, |size, byte| size << 8 | usize::from(*byte));
    let bytes = read(size).map_err(trouble)?;
    answer(&bytes, asked, kind).ok_or_else(|| format!("{server} answers something else"))
}

/// An address with or without a port.
fn socket(text: &str) -> Option<SocketAddr> {
    text.parse().ok().or_else(|| Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, 53)))
}

/// The addresses that name servers have for a name in full, those of IPv4 first.
///
/// # Errors
/// None of them could tell.
pub fn address_records(name: &str, ground: &Ground<'_>, until: Instant) -> Result<Vec<IpAddr>, Failure> {
    let mut found = Vec::new();
    for kind in ["A", "AAAA"] {
        let asked = Dns {
            name: name.to_owned(),
            r#type: kind.to_owned(),
            contains: None,
            absent: false,
            server: None,
        };
        found.extend(asked.ask(ground, until)?.iter().filter_map(|value| value.parse::<IpAddr>().ok()));
    }
    Ok(found)
}

/// The servers of resolv.conf(5), at most three, as the resolver takes them.
fn servers(ground: &Ground<'_>) -> Result<Vec<SocketAddr>, Failure> {
    let text = ground.read("/etc/resolv.conf")?;
    let named =
        text.lines().filter_map(|line| line.trim().strip_prefix("nameserver")?.split_whitespace().next());
    Ok(named.filter_map(socket).take(3).collect())
}
