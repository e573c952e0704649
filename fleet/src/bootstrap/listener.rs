//! Hears what the script says among whatever else comes: lines that begin with our nonce. Login shells, messages of the day and
//! forced commands print as well; that is skipped, capped, and quoted where nothing of ours comes.

use crate::inert;
use crate::remote::{Pipe, Received};
use crate::trouble::Trouble;
use model::{REDACTED, Secret};
use std::time::Duration;

/// Most bytes that are none of ours.
const MOST_NOISE: usize = 64 << 10;

/// Most bytes of a line of ours.
const LONGEST_LINE: usize = 8 << 10;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// A line of ours: its first word, and the others.
    Line(String, String),
    /// Nothing yet.
    Nothing,
    /// The command has ended.
    End,
}

/// A command whose script is spoken to.
pub struct Listener {
    /// The command.
    pub pipe: Box<dyn Pipe>,
    marker: String,
    held: Vec<u8>,
    noise: Vec<u8>,
}

impl Listener {
    /// Hears lines that begin with `marker`.
    pub fn new(pipe: Box<dyn Pipe>, marker: String) -> Self {
        Self { pipe, marker, held: Vec::new(), noise: Vec::new() }
    }

    /// Waits `patience` at most for something to come.
    ///
    /// # Errors
    /// The connection's; more noise than is borne.
    pub fn poll(&mut self, patience: Duration) -> Result<Heard, Trouble> {
        if let Some(line) = self.line()? {
            return Ok(line);
        }
        let mut buffer = [0; 4 << 10];
        match self.pipe.receive(&mut buffer, patience)? {
            Received::Bytes(count) => self.held.extend_from_slice(&buffer[..count]),
            Received::Nothing => return Ok(Heard::Nothing),
            Received::End => return Ok(Heard::End),
        }
        Ok(self.line()?.unwrap_or(Heard::Nothing))
    }

    /// The next line of ours that is whole.
    fn line(&mut self) -> Result<Option<Heard>, Trouble> {
        let marker = self.marker.as_bytes();
        let start = self.held.windows(marker.len()).position(|bytes| bytes == marker);
        // What could be the beginning of a marker stays.
        let noise = start.unwrap_or(self.held.len().saturating_sub(marker.len() - 1));
        self.noise.extend(self.held.drain(..noise));
        if self.noise.len() > MOST_NOISE {
            let said = inert::tail(&self.noise);
            return Err(Trouble::Shell(format!(
                "the login shell prints without end, and not what it was asked to run: {said}"
            )));
        }
        if start.is_none() {
            return Ok(None);
        }
        let Some(end) = self.held.iter().position(|byte| *byte == b'\n') else {
            if self.held.len() > LONGEST_LINE {
                return Err(Trouble::Shell("a line of the script does not end".to_owned()));
            }
            return Ok(None);
        };
        let line: Vec<u8> = self.held.drain(..=end).skip(marker.len()).collect();
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        Ok(Some(Heard::Line(word.to_owned(), rest.to_owned())))
    }

    /// Everything that was said and is none of ours, on standard output and then on standard error. A host may repeat the password
    /// that its sudo was told; what is quoted goes into messages and logs.
    pub fn said(&self, password: Option<&Secret<String>>) -> String {
        let bytes = [&self.noise, &self.held, &b"\n"[..], self.pipe.errors()].concat();
        let text = String::from_utf8_lossy(&bytes);
        let text = match password.map(Secret::expose).filter(|password| !password.is_empty()) {
            Some(password) => text.replace(password, REDACTED).into(),
            None => text,
        };
        inert::tail(text.as_bytes())
    }

    /// The command, and what came after the last line of ours.
    pub fn into_parts(self) -> (Box<dyn Pipe>, Vec<u8>) {
        (self.pipe, self.held)
    }
}
