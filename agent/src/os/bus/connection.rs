//! A connection to the service manager: greets it, sends calls together, reads what it answers, or listens. `message` reads and writes;
//! `systemd` knows what can be asked.

use super::message::{Call, Kind, Message};
use model::Failure;
use rustix::fd::{AsFd, BorrowedFd};
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Where systemd listens for root; systemctl(1) uses it too.
pub const SOCKET: &str = "/run/systemd/private";

/// How long it may take to greet.
const GREETING: Duration = Duration::from_secs(5);

/// Longest greeting, in bytes.
const LONGEST: usize = 4096;

/// Calls that are sent before their answers are read: so many and their answers do not fill what it keeps for one connection.
const TOGETHER: usize = 64;

/// An answer to a call; a refusal by the name of its error and in words.
pub type Answer = Result<Message, String>;

/// A connection that was greeted.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    buffer: Vec<u8>,
    serial: u32,
}

impl Connection {
    /// Connects, and greets.
    ///
    /// # Errors
    /// Nobody listens there, or does not let us in: nothing was asked.
    pub fn open() -> Result<Self, Error> {
        Self::over(UnixStream::connect(SOCKET)?)
    }

    /// Says who we are, as the D-Bus specification has it ("Authentication Protocol", mechanism EXTERNAL).
    ///
    /// # Errors
    /// It does not greet, or does not let us in.
    pub fn over(mut stream: UnixStream) -> Result<Self, Error> {
        stream.set_read_timeout(Some(GREETING))?;
        stream.set_write_timeout(Some(GREETING))?;
        let uid = rustix::process::geteuid().as_raw().to_string();
        let uid: String = uid.bytes().map(|digit| format!("{digit:02x}")).collect();
        // In one go, as sd-bus does: systemd that reads a message together with `BEGIN` leaves it until something else comes.
        stream.write_all(format!("\0AUTH EXTERNAL {uid}\r\nBEGIN\r\n").as_bytes())?;
        let mut answer = Vec::new();
        // One byte at a time: what follows the line is a message.
        while !answer.ends_with(b"\r\n") {
            let mut byte = [0];
            if stream.read(&mut byte)? == 0 || answer.len() > LONGEST {
                return Err(Error::new(ErrorKind::UnexpectedEof, "it does not greet"));
            }
            answer.push(byte[0]);
        }
        if !answer.starts_with(b"OK") {
            return Err(Error::new(ErrorKind::PermissionDenied, "it does not let us in"));
        }
        Ok(Self { stream, buffer: Vec::new(), serial: 0 })
    }

    /// Makes these calls, and gives the answer to each, in the order of the calls. They are sent together.
    ///
    /// # Errors
    /// The connection is gone, or what came is no answer; `Timeout` where not all came within `patience`.
    pub fn ask(&mut self, calls: &[Call<'_>], patience: Duration) -> Result<Vec<Answer>, Failure> {
        let end = Instant::now() + patience;
        let mut answers = Vec::new();
        for calls in calls.chunks(TOGETHER) {
            answers.extend(self.ask_together(calls, end).map_err(|error| match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                    Failure::Timeout { what: "an answer of systemd".to_owned(), seconds: patience.as_secs() }
                }
                _ => Failure::io("ask", SOCKET, error),
            })?);
        }
        Ok(answers)
    }

    fn ask_together(&mut self, calls: &[Call<'_>], end: Instant) -> Result<Vec<Answer>, Error> {
        let first = self.serial + 1;
        let mut bytes = Vec::new();
        for call in calls {
            self.serial += 1;
            bytes.extend(call.encoded(self.serial));
        }
        self.stream.set_write_timeout(Some(left(end)?))?;
        self.stream.write_all(&bytes)?;
        let mut found: BTreeMap<u32, Answer> = BTreeMap::new();
        while found.len() < calls.len() {
            self.stream.set_read_timeout(Some(left(end)?))?;
            self.receive()?;
            for message in self.messages()? {
                let asked = message.answers.filter(|serial| (first..=self.serial).contains(serial));
                let answer = match (message.kind, asked) {
                    (Kind::Return, Some(serial)) => (serial, Ok(message)),
                    (Kind::Error, Some(serial)) => (serial, Err(refusal(&message))),
                    // Signals come to whoever is connected.
                    (Kind::Signal | Kind::Other, _) => continue,
                    (Kind::Return | Kind::Error, None) => {
                        return Err(Error::new(ErrorKind::InvalidData, "it answers what nobody asked"));
                    }
                };
                if found.insert(answer.0, answer.1).is_some() {
                    return Err(Error::new(ErrorKind::InvalidData, "it answers twice"));
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// From now on it is only listened to: `heard` does not wait.
    ///
    /// # Errors
    /// The system's.
    pub fn listen(&mut self) -> Result<(), Error> {
        self.stream.set_nonblocking(true)
    }

    /// What becomes readable when something has come.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// What has come since.
    ///
    /// # Errors
    /// The connection is gone, as when systemd is executed anew.
    pub fn heard(&mut self) -> Result<Vec<Message>, Error> {
        let mut heard = Vec::new();
        loop {
            match self.receive() {
                Ok(()) => heard.extend(self.messages()?),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(heard),
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for some bytes.
    fn receive(&mut self) -> Result<(), Error> {
        let mut piece = [0; 32 << 10];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return Err(ErrorKind::ConnectionReset.into()),
                Ok(count) => break self.buffer.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The messages that are there whole.
    fn messages(&mut self) -> Result<Vec<Message>, Error> {
        let (mut messages, mut at) = (Vec::new(), 0);
        while let Some((message, length)) = Message::take(&self.buffer[at..])? {
            messages.push(message);
            at += length;
        }
        self.buffer.drain(..at);
        Ok(messages)
    }
}

/// The time until `end`.
fn left(end: Instant) -> Result<Duration, Error> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// An error has its name, and often a text for people.
fn refusal(message: &Message) -> String {
    let name = message.error.as_deref().unwrap_or("an error without a name");
    match message.body().text().filter(|_| message.signature.starts_with('s')) {
        Some(text) => crate::os::capture::printable(format!("{text} ({name})").as_bytes()),
        None => name.to_owned(),
    }
}
