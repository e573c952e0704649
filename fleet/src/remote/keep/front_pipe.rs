//! A command over a connection in another process, and its streams. While it sends, it reads: neither side can be stuck on the other.

use super::front::{GONE, Shared, lost};
use super::line::{Frame, PIECE};
use super::words::{Say, Told};
use crate::remote::pipe::{Pipe, Received, STALLED};
use crate::trouble::{Stage, Trouble};
use rustix::event::PollFlags;
use std::collections::VecDeque;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How much of standard error is kept.
const ERRORS: usize = 64 << 10;
/// How much may come unasked while we are sending.
const EARLY: usize = 64 << 20;

pub(super) struct KeptPipe {
    line: Arc<Shared>,
    number: u64,
    /// Standard output that nobody has read yet.
    early: VecDeque<u8>,
    /// The tail of standard error; twice as long as it should be at times.
    said: Vec<u8>,
    /// How it ended, where it has.
    end: Option<Result<Option<i32>, Trouble>>,
    is_input_over: bool,
}

impl KeptPipe {
    /// The n-th command, which runs.
    pub(super) fn new(line: Arc<Shared>, number: u64) -> Self {
        let (early, said) = (VecDeque::new(), Vec::new());
        Self { line, number, early, said, end: None, is_input_over: false }
    }

    /// Takes one frame, if it is there. True where it was.
    fn take(&mut self) -> Result<bool, Trouble> {
        if self.end.is_some() {
            return Ok(false);
        }
        let taken = self.line.held().take();
        match taken.map_err(failed)? {
            Some(Frame::Bytes(bytes)) => self.early.extend(bytes),
            Some(Frame::Errors(bytes)) => {
                if self.said.len() > 2 * ERRORS {
                    self.said.drain(..self.said.len() - ERRORS);
                }
                self.said.extend(bytes);
            }
            Some(Frame::Words(words)) => {
                match serde_json::from_slice(&words).map_err(|error| failed(error.into()))? {
                    Told::Ended(number, status) if number == self.number => self.end = Some(Ok(status)),
                    Told::Trouble(number, trouble) if number == self.number => self.end = Some(Err(trouble)),
                    _ => {}
                }
            }
            None if self.line.held().is_over() => self.end = Some(Err(lost(GONE))),
            None => return Ok(false),
        }
        Ok(true)
    }

    fn wait(&self, events: PollFlags, until: Instant) -> Result<(), Trouble> {
        let left = until.saturating_duration_since(Instant::now());
        self.line.held().wait(events, left).map_err(failed)
    }

    /// Sends one frame, with what is before it.
    fn pass(&mut self, frame: &Frame) -> Result<(), Trouble> {
        self.line.held().queue(frame);
        let mut moved = Instant::now();
        loop {
            let flushed = self.line.held().flush();
            match flushed {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // Why is in what it has said before.
                Err(_) => {
                    while self.take()? {}
                    return Err(self.over().unwrap_or_else(|| lost(GONE)));
                }
            }
            if self.take()? {
                moved = Instant::now();
                if self.early.len() > EARLY {
                    let because = "it sends without end, and takes nothing".to_owned();
                    return Err(Trouble::Protocol { stage: Stage::Elevate, because });
                }
            } else if let Some(trouble) = self.over() {
                return Err(trouble);
            } else if moved.elapsed() >= STALLED + STALLED {
                return Err(lost("the host takes nothing any more"));
            } else {
                self.wait(PollFlags::IN | PollFlags::OUT, moved + STALLED + STALLED)?;
            }
        }
    }

    /// Why nothing more can be sent, where nothing can.
    fn over(&self) -> Option<Trouble> {
        match &self.end {
            None => None,
            Some(Ok(_)) => Some(lost("the command has ended")),
            Some(Err(trouble)) => Some(trouble.clone()),
        }
    }
}

impl Pipe for KeptPipe {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        for piece in bytes.chunks(PIECE) {
            while self.take()? {}
            if let Some(trouble) = self.over() {
                return Err(trouble);
            }
            self.pass(&Frame::Bytes(piece.to_vec()))?;
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> Result<Received, Trouble> {
        let until = Instant::now() + patience;
        loop {
            if !self.early.is_empty() {
                return self.early.read(buffer).map(Received::Bytes).map_err(failed);
            }
            if self.take()? {
                continue;
            }
            match &self.end {
                Some(Ok(_)) => return Ok(Received::End),
                Some(Err(trouble)) => return Err(trouble.clone()),
                None if Instant::now() >= until => return Ok(Received::Nothing),
                None => self.wait(PollFlags::IN, until)?,
            }
        }
    }

    fn errors(&self) -> &[u8] {
        &self.said[self.said.len().saturating_sub(ERRORS)..]
    }

    fn finish(&mut self, patience: Duration) -> Result<Option<i32>, Trouble> {
        let until = Instant::now() + patience;
        if !self.is_input_over && self.end.is_none() {
            let words = serde_json::to_vec(&Say::EndInput).map_err(|error| failed(error.into()))?;
            self.is_input_over = true;
            self.pass(&Frame::Words(words)).or_else(|trouble| match self.end {
                Some(Ok(_)) => Ok(()),
                _ => Err(trouble),
            })?;
        }
        let mut unread = vec![0; PIECE];
        loop {
            match self.receive(&mut unread, until.saturating_duration_since(Instant::now()))? {
                Received::Bytes(_) => {}
                Received::Nothing => {
                    let seconds = patience.as_secs_f32();
                    return Err(lost(&format!("the command has not ended within {seconds} s")));
                }
                Received::End => break,
            }
        }
        match &self.end {
            Some(end) => end.clone(),
            None => Err(lost(GONE)),
        }
    }
}

fn failed(error: io::Error) -> Trouble {
    lost(&error.to_string())
}
