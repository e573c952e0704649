//! One request over HTTP/1.1 and its answer (RFC 9112), within a time in all and with bounds on all that a server says. Nothing is followed,
//! nothing is unpacked.

use super::channel::{Channel, hurry};
use super::ground::Wrote;
use std::io;
use std::time::Instant;

/// The most of a head that is read, in bytes.
const HEAD: usize = 64 << 10;

/// The most of a body that is read, in bytes.
const BODY: usize = 1 << 20;

/// What is asked for.
pub struct Asked<'a> {
    /// `GET`, `HEAD` or so.
    pub method: &'a str,
    /// The path with its query.
    pub target: &'a str,
    /// The `Host` field.
    pub host: &'a str,
    /// Further fields.
    pub fields: &'a [(&'a str, &'a str)],
    /// What is sent along; a check sends nothing.
    pub body: &'a [u8],
}

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, from 100 to 999.
    pub status: u16,
    /// Names and values of the fields, in their order, names in small letters.
    pub fields: Vec<(String, String)>,
    /// The body as it came, but for its chunks.
    pub body: Wrote,
}

/// Asks, and hears the answer to its end, or to as much of it as is looked at.
///
/// # Errors
/// In words: no answer, none in time, or none of HTTP.
pub fn ask(channel: &mut dyn Channel, asked: &Asked<'_>, until: Instant) -> Result<Answer, String> {
    let Asked { method, target, host, fields, body } = asked;
    let mut head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: keel\r\nAccept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n"
    );
    for (name, value) in *fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut stream = Stream { channel, until, held: Vec::new(), at: 0 };
    stream.write(&[head.as_bytes(), body].concat())?;
    loop {
        let (status, fields) = stream.head()?;
        // What comes before the answer (RFC 9110, 15.2).
        if (100..200).contains(&status) && status != 101 {
            continue;
        }
        let is_bare = *method == "HEAD" || matches!(status, 101 | 204 | 304);
        let body = if is_bare { Wrote { bytes: Vec::new(), whole: true } } else { stream.body(&fields)? };
        return Ok(Answer { status, fields, body });
    }
}

/// A server, and what was read of it and is not used yet.
struct Stream<'a> {
    channel: &'a mut dyn Channel,
    until: Instant,
    held: Vec<u8>,
    at: usize,
}

impl Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let sent = hurry(self.channel.socket(), self.until)
            .and_then(|()| self.channel.write_all(bytes))
            .and_then(|()| self.channel.flush());
        sent.map_err(|error| broken(&error))
    }

    /// Reads on; false at the end.
    fn fill(&mut self) -> Result<bool, String> {
        let mut piece = [0; 8 << 10];
        self.held.drain(..std::mem::take(&mut self.at));
        loop {
            hurry(self.channel.socket(), self.until).map_err(|error| broken(&error))?;
            match self.channel.read(&mut piece) {
                Ok(0) => return Ok(false),
                Ok(got) => {
                    self.held.extend_from_slice(piece.get(..got).unwrap_or_default());
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(&error)),
            }
        }
    }

    /// The next line, without its end; `None` where the server ended before one. `left` is how much of the head may still come.
    fn line(&mut self, left: &mut usize) -> Result<Option<String>, String> {
        loop {
            let rest = self.held.get(self.at..).unwrap_or_default();
            if let Some(end) = memchr::memchr(b'\n', rest.get(..rest.len().min(*left)).unwrap_or(rest)) {
                let line = rest.get(..end).unwrap_or_default().trim_ascii_end();
                let line = String::from_utf8_lossy(line).into_owned();
                self.at += end + 1;
                *left -= end + 1;
                return Ok(Some(line));
            }
            if rest.len() >= *left {
                return Err(format!("its head is longer than {} KiB", HEAD >> 10));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    fn head(&mut self) -> Result<(u16, Vec<(String, String)>), String> {
        let mut left = HEAD;
        let first = self.line(&mut left)?.ok_or("it closed the connection without an answer")?;
        let status = status(&first).ok_or("what it says is no HTTP")?;
        let mut fields = Vec::new();
        loop {
            let line = self.line(&mut left)?.ok_or("it closed the connection in the middle of its head")?;
            if line.is_empty() {
                return Ok((status, fields));
            }
            let (name, value) = line.split_once(':').ok_or("a field of its head has no name")?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn body(&mut self, fields: &[(String, String)]) -> Result<Wrote, String> {
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if field("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.chunks();
        }
        let length = field("content-length").map(str::parse::<u64>);
        let length = length.transpose().map_err(|_| "its Content-Length is no number")?;
        let most = length.map_or(BODY, |length| usize::try_from(length).unwrap_or(BODY).min(BODY));
        let mut bytes = Vec::new();
        let is_end = self.take(most, &mut bytes)?;
        if is_end && length.is_some_and(|length| (bytes.len() as u64) < length) {
            return Err("it closed the connection in the middle of its body".to_owned());
        }
        let whole = match length {
            Some(length) => length <= BODY as u64,
            None => is_end || (self.held.len() == self.at && !self.fill()?),
        };
        Ok(Wrote { bytes, whole })
    }

    /// Takes up to `most` bytes; true where the server ended before.
    fn take(&mut self, most: usize, into: &mut Vec<u8>) -> Result<bool, String> {
        let wanted = into.len() + most;
        while into.len() < wanted {
            let rest = self.held.get(self.at..).unwrap_or_default();
            let piece = rest.get(..rest.len().min(wanted - into.len())).unwrap_or_default();
            into.extend_from_slice(piece);
            self.at += piece.len();
            if into.len() < wanted && !self.fill()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// RFC 9112, 7.1.
    fn chunks(&mut self) -> Result<Wrote, String> {
        let mut bytes = Vec::new();
        let cut = || "it closed the connection in the middle of its body".to_owned();
        loop {
            let mut left = 1 << 10;
            let line = self.line(&mut left)?.ok_or_else(cut)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| "a chunk of its body has no size")?;
            if size == 0 {
                return Ok(Wrote { bytes, whole: true });
            }
            let room = BODY - bytes.len();
            if self.take(size.min(room), &mut bytes)? {
                return Err(cut());
            }
            if size > room {
                return Ok(Wrote { bytes, whole: false });
            }
            let end = self.line(&mut left)?.ok_or_else(cut)?;
            if !end.is_empty() {
                return Err("a chunk of its body is longer than its size".to_owned());
            }
        }
    }
}

fn status(line: &str) -> Option<u16> {
    let mut words = line.split(' ');
    let is_http = words.next()?.starts_with("HTTP/1.");
    let status = words.next()?.parse().ok().filter(|status| (100..1000).contains(status))?;
    is_http.then_some(status)
}

fn broken(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "it does not answer in time".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "it reset the connection".to_owned(),
        _ => error.to_string(),
    }
}
