//! Syslog, by RFC 5424, with what is told as structured data as well: to a socket of this host, by datagrams (RFC 5426), or over a
//! connection, bare (RFC 6587, 3.4.1) or in TLS (RFC 5425).

use super::journald::{message, priority};
use super::outbox::{Courier, Fate, Letters};
use super::queue::Lost;
use super::way::{Goal, Outside, deadline, reach};
use super::{Told, What};
use crate::receivers::{self, Collector};
use crate::status::Status;
use agent::checks::hurry;
use model::Failure;
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

/// What waits for it is in this folder.
pub const NAME: &str = "syslog";

/// Facility daemon, of table 1.
const FACILITY: u8 = 3;

/// The element's name. 32473 is the enterprise number for examples (RFC 5612): there is no other that is ours.
const ELEMENT: &str = "evenkeel@32473";

/// A text is no longer, in bytes: a message is to fit into what every receiver takes of a datagram (RFC 5424, 6.1).
const TEXT: usize = 480;

/// So long is waited for a receiver to close a connection on its side, or to reset it.
const FAREWELL: Duration = Duration::from_secs(2);

/// What is made of reports.
pub struct Syslog;

impl Letters for Syslog {
    fn name(&self) -> &'static str {
        NAME
    }

    fn letters(&mut self, told: &Told, _: &Status) -> Result<Vec<Vec<u8>>, Failure> {
        Ok(vec![line(told, std::process::id())])
    }

    fn lost(&self, lost: &Lost, host: &str, at: &str) -> Option<Vec<u8>> {
        let what = What::Note { text: lost.words() };
        let told = Told { at: at.to_owned(), host: host.to_owned(), catalog: None, what };
        Some(line(&told, std::process::id()))
    }
}

/// A message, of section 6.
fn line(told: &Told, pid: u32) -> Vec<u8> {
    // That it cannot be described would be a fault of ours, and the text says it anyhow.
    let event = serde_json::to_value(&told.what).unwrap_or(Value::Null);
    let text = |key: &str| event.get(key).and_then(Value::as_str);
    let changes = event.get("changes").and_then(Value::as_array).map(|lines| {
        let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
        lines.join("; ")
    });
    let mut data = format!("[{ELEMENT}");
    for (name, value) in [
        ("event", text("event")),
        ("resource", text("id")),
        ("because", text("because")),
        ("run", text("run")),
        ("catalog", told.catalog.as_deref()),
        ("changes", changes.as_deref()),
    ] {
        if let Some(value) = value {
            data.push_str(&format!(" {name}=\"{}\"", escaped(&plain(value))));
        }
    }
    data.push(']');
    let host: String = told.host.chars().filter(char::is_ascii_graphic).take(255).collect();
    let host = if host.is_empty() { "-" } else { &host };
    let id = text("event").unwrap_or("-");
    let number = FACILITY * 8 + priority(&told.what);
    let words = plain(&message(&told.what));
    format!("<{number}>1 {} {host} keel-agent {pid} {id} {data} \u{feff}{words}", told.at).into_bytes()
}

/// The beginning of a text, on one line.
fn plain(text: &str) -> String {
    let mut end = text.len().min(TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}

/// A value, of section 6.3.3.
fn escaped(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for it in text.chars() {
        if matches!(it, '"' | '\\' | ']') {
            all.push('\\');
        }
        all.push(it);
    }
    all
}

/// Who sends them.
pub struct Sender {
    settings: receivers::Syslog,
    outside: Outside,
}

impl Sender {
    /// As the settings say.
    pub fn new(settings: &receivers::Syslog, outside: &Outside) -> Self {
        Self { settings: settings.clone(), outside: outside.clone() }
    }

    fn connected(&self, (host, port, tls): (&str, u16, bool), line: &[u8]) -> Result<(), String> {
        let until = deadline();
        let ca = self.settings.ca.as_ref().map(receivers::Whole::path);
        let mut channel = reach(&self.outside, Goal { host, port, tls, ca }, until)?;
        // Counted octets: a message may hold anything.
        let framed = [format!("{} ", line.len()).as_bytes(), line].concat();
        let sent = hurry(channel.socket(), until)
            .and_then(|()| channel.write_all(&framed))
            .and_then(|()| channel.flush())
            .and_then(|()| channel.finish())
            .and_then(|()| hurry(channel.socket(), until.min(Instant::now() + FAREWELL)));
        sent.map_err(|error| format!("{host}:{port}: {error}"))?;
        // It says nothing; that it goes without a reset is all that is to be had of a receipt.
        match channel.read(&mut [0; 64]) {
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                Err(format!("{host}:{port} reset the connection"))
            }
            _ => Ok(()),
        }
    }

    fn datagram(&self, (host, port): (&str, u16), line: &[u8]) -> Result<(), String> {
        let address = match (host.parse(), self.outside.names) {
            (Ok(address), _) => Some(address),
            (Err(_), Some(names)) => {
                let found = names.addresses(host, deadline()).map_err(|failure| failure.to_string())?;
                found.first().copied()
            }
            (Err(_), None) => None,
        };
        let address = address.ok_or_else(|| format!("nobody here knows the address of {host}"))?;
        let from = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let sent = UdpSocket::bind(from).and_then(|socket| socket.send_to(line, (address, port)));
        sent.map(drop).map_err(|error| format!("{host}:{port}: {error}"))
    }
}

fn local(path: &Path, line: &[u8]) -> Result<(), String> {
    let sent = UnixDatagram::unbound().and_then(|socket| {
        socket.set_write_timeout(Some(FAREWELL))?;
        socket.send_to(line, path)
    });
    sent.map(drop).map_err(|error| format!("{}: {error}", path.display()))
}

impl Courier for Sender {
    fn carry(&mut self, line: &[u8]) -> Fate {
        let sent = match &self.settings.to {
            Collector::Socket(path) => local(path, line),
            Collector::Udp(host, port) => self.datagram((host, *port), line),
            Collector::Tcp(host, port) => self.connected((host, *port, false), line),
            Collector::Tls(host, port) => self.connected((host, *port, true), line),
        };
        match sent {
            Ok(()) => Fate::Taken,
            Err(why) => Fate::Later(why, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Sender, line};
    use crate::receivers::{Collector, Syslog};
    use crate::report::outbox::{Courier, Fate};
    use crate::report::way::Outside;
    use crate::report::{Told, What};
    use model::Id;
    use std::io::Read;
    use std::net::{TcpListener, UdpSocket};
    use std::os::unix::net::UnixDatagram;

    #[test]
    fn a_message_is_as_the_rfc_has_it() {
        let what = What::Drift { id: Id::new("file", "/a]"), changes: vec!["x\ny".into()], left: "z".into() };
        let told = Told {
            at: "2026-01-02T00:00:00.123Z".into(),
            host: "h 1".into(),
            catalog: Some("abc".into()),
            what,
        };
        let wanted = "<28>1 2026-01-02T00:00:00.123Z h1 keel-agent 7 drift [evenkeel@32473 event=\"drift\" \
                      resource=\"file./a\\]\" catalog=\"abc\" changes=\"x y\"] \u{feff}file./a] drifted and is left, z: x y";
        assert_eq!(String::from_utf8(line(&told, 7)).unwrap(), wanted);
        let long = Told { what: What::Note { text: "ü".repeat(9000) }, ..told };
        assert!(line(&long, 7).len() < 2048);
    }

    fn carry(to: Collector) -> Fate {
        Sender::new(&Syslog { to, ca: None }, &Outside::default()).carry(b"<30>1 x")
    }

    #[test]
    fn it_goes_to_a_socket_and_by_datagram() {
        let (dir, mut buffer) = (tempfile::tempdir().unwrap(), [0; 64]);
        let path = dir.path().join("log");
        assert!(matches!(carry(Collector::Socket(path.clone())), Fate::Later(..)), "nobody is there");
        let socket = UnixDatagram::bind(&path).unwrap();
        assert_eq!(carry(Collector::Socket(path)), Fate::Taken);
        let got = socket.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..got], b"<30>1 x");
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(carry(Collector::Udp("127.0.0.1".into(), udp.local_addr().unwrap().port())), Fate::Taken);
        let got = udp.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..got], b"<30>1 x");
    }

    #[test]
    fn over_a_connection_its_octets_are_counted() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let hearing = std::thread::spawn(move || {
            let mut said = String::new();
            server.accept().unwrap().0.read_to_string(&mut said).unwrap();
            said
        });
        assert_eq!(carry(Collector::Tcp("127.0.0.1".into(), port)), Fate::Taken);
        assert_eq!(hearing.join().unwrap(), "7 <30>1 x");
        assert!(
            matches!(carry(Collector::Tcp("127.0.0.1".into(), port)), Fate::Later(..)),
            "nobody is there"
        );
    }
}
