//! Hosts without a process: they say what they were given to say, whatever they are asked.

use fleet::{Pipe, Received, Remote, Stage, Trouble};
use std::time::Duration;

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
        let (_, rest) = command.split_once(" quiet '").unwrap();
        let (nonce, _) = rest.split_once('\'').unwrap();
        let script = self.script.replace("{KEEL}", &format!("KEEL-{nonce}"));
        let said = [script.into_bytes(), self.words.clone()].concat();
        Ok(Box::new(Saying { said, after: self.after.clone(), sent: 0, at: 0 }))
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
