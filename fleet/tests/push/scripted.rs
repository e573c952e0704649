//! Hosts without a process: they say what they were given to say, whatever they are asked.

use fleet::{Pipe, Received, Remote, Stage, Trouble};
use std::time::{Duration, Instant};

/// What the script of a warm host says; `{KEEL}` is the word that its lines begin with.
pub const WARM: &str = "{KEEL} here root\n{KEEL} root\n{KEEL} run warm\n";

/// A host.
pub struct Scripted {
    /// What its script says.
    pub script: String,
    /// What the agent says at once.
    pub words: Vec<u8>,
    /// What it says when it has been told two things: the order, and the answer to its question.
    pub after: Vec<u8>,
}

impl Remote for Scripted {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Pipe>, Trouble> {
        let (_, rest) = command.split_once(" quiet go '").unwrap();
        let (nonce, _) = rest.split_once('\'').unwrap();
        let script = self.script.replace("{KEEL}", &format!("KEEL-{nonce}"));
        let said = [script.into_bytes(), self.words.clone()].concat();
        Ok(Box::new(Saying { said, after: self.after.clone(), sent: 0, at: 0 }))
    }
}

/// A host that is connected to when a command is started, as with the system's `ssh`.
pub struct Late {
    /// How long that takes.
    pub delay: Duration,
    /// The host; nobody where the delay is the deadline.
    pub host: Option<Scripted>,
}

impl Remote for Late {
    fn exec(&mut self, command: &str) -> Result<Box<dyn Pipe>, Trouble> {
        let pipe = self.host.as_mut().map(|host| host.exec(&command.replace(" pause ", " go ")));
        Ok(Box::new(Connecting { since: Instant::now(), delay: self.delay, pipe: pipe.transpose()? }))
    }

    fn connects_late(&self) -> bool {
        true
    }
}

struct Connecting {
    since: Instant,
    delay: Duration,
    pipe: Option<Box<dyn Pipe>>,
}

impl Pipe for Connecting {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        // The line for which the script waits is not for the agent.
        if bytes == b"\n" { Ok(()) } else { self.pipe.as_mut().unwrap().send(bytes) }
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> Result<Received, Trouble> {
        if self.since.elapsed() < self.delay {
            std::thread::sleep(patience);
            return Ok(Received::Nothing);
        }
        let timeout =
            Trouble::Timeout { stage: Stage::Connect, limit: self.delay, setting: " (ConnectTimeout)" };
        self.pipe.as_mut().ok_or(timeout)?.receive(buffer, patience)
    }

    fn errors(&self) -> &[u8] {
        b""
    }

    fn finish(&mut self, _: Duration) -> Result<Option<i32>, Trouble> {
        Ok(Some(0))
    }
}

struct Saying {
    said: Vec<u8>,
    after: Vec<u8>,
    sent: u32,
    at: usize,
}

impl Pipe for Saying {
    fn send(&mut self, _: &[u8]) -> Result<(), Trouble> {
        self.sent += 1;
        if self.sent == 2 {
            self.said.append(&mut self.after);
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> Result<Received, Trouble> {
        let left = &self.said[self.at..];
        if left.is_empty() {
            std::thread::sleep(patience);
            let because = "the cable was cut".to_owned();
            return Err(Trouble::Lost { stage: Stage::Elevate, because });
        }
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.at += count;
        Ok(Received::Bytes(count))
    }

    fn errors(&self) -> &[u8] {
        b""
    }

    fn finish(&mut self, _: Duration) -> Result<Option<i32>, Trouble> {
        Ok(Some(0))
    }
}
