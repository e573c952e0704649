//! What goes to the host: gathered, so that small messages travel together, and sent through the pipe.

use crate::push::Progress;
use crate::remote::Pipe;
use crate::trouble::Trouble;
use std::io::{self, Write};

/// Bytes that are gathered before they are sent.
const PIECE: usize = 128 << 10;

/// A pipe as something to write to. Nothing but [`Self::finish`] sends what is left.
pub struct Outgoing<'a> {
    pipe: &'a mut dyn Pipe,
    progress: &'a Progress<'a>,
    held: Vec<u8>,
    trouble: Option<Trouble>,
}

impl<'a> Outgoing<'a> {
    /// Nothing gathered.
    pub fn new(pipe: &'a mut dyn Pipe, progress: &'a Progress<'a>) -> Self {
        Self { pipe, progress, held: Vec::new(), trouble: None }
    }

    /// Sends what is left.
    ///
    /// # Errors
    /// The pipe's; the one that came before, where `wrote` is an error; an order that is too long.
    pub fn finish(mut self, wrote: io::Result<()>) -> Result<(), Trouble> {
        match (self.trouble.take(), wrote) {
            (Some(trouble), _) => Err(trouble),
            (None, Err(error)) => Err(Trouble::Here(error.to_string())),
            (None, Ok(())) => self.pipe.send(&self.held),
        }
    }
}

impl Write for Outgoing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= PIECE {
            let sent = self.progress.go_on().and_then(|()| self.pipe.send(&self.held));
            self.held.clear();
            if let Err(trouble) = sent {
                self.trouble = Some(trouble);
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
