//! Reading the events of a run, also while they are written: what has no end of line yet is not there.

use super::StateDir;
use super::event_log::EVENTS;
use crate::os::safe_path::{self, Follow};
use memchr::memchr;
use model::{Event, Failure};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Longest line that is read, in bytes: far above any plan that a run is made of.
const LONGEST: usize = 256 << 20;

/// How much is read at once.
const AT_ONCE: u64 = 256 << 10;

/// The events in the order of their numbers, from the first one on.
#[derive(Debug)]
pub struct EventLines {
    path: PathBuf,
    file: Option<File>,
    /// Bytes of the file that were read.
    read: u64,
    /// What was read last, with the beginning of its first line.
    held: Vec<u8>,
    /// So much of `held` was given out.
    given: usize,
    /// Up to here no end of line comes after that.
    searched: usize,
}

impl EventLines {
    /// Those of `run`; it need not have any yet.
    pub fn new(state: &StateDir, run: u64) -> Self {
        let path = state.run_dir(run).join(EVENTS);
        Self { path, file: None, read: 0, held: Vec::new(), given: 0, searched: 0 }
    }

    /// The next event; `None` where it has not been written, or not all of it. Ask again later.
    ///
    /// # Errors
    /// The file cannot be read, or holds a line that is no event.
    pub fn following(&mut self) -> Result<Option<Event>, Failure> {
        loop {
            if let Some(length) = memchr(b'\n', &self.held[self.searched..]) {
                let end = self.searched + length;
                let event = serde_json::from_slice(&self.held[self.given..end]);
                (self.given, self.searched) = (end + 1, end + 1);
                let because = |error| format!("a line is no event: {error}");
                return event.map(Some).map_err(|error| Failure::unknown(self.what(), because(error)));
            }
            self.held.drain(..self.given);
            (self.given, self.searched) = (0, self.held.len());
            if self.searched > LONGEST {
                return Err(Failure::unknown(self.what(), "a line is too long"));
            }
            if self.more()? == 0 {
                return Ok(None);
            }
        }
    }

    /// Bytes of the lines that were given out.
    pub fn whole(&self) -> u64 {
        self.read - (self.held.len() - self.given) as u64
    }

    fn more(&mut self) -> Result<usize, Failure> {
        if self.file.is_none() {
            self.file = safe_path::open_file(&self.path, Follow::No)?.map(|(file, _)| file);
        }
        let Some(file) = &mut self.file else { return Ok(0) };
        let failed = |error| Failure::io("read", self.path.display(), error);
        file.seek(SeekFrom::Start(self.read)).map_err(failed)?;
        let count = file.take(AT_ONCE).read_to_end(&mut self.held).map_err(failed)?;
        self.read += count as u64;
        Ok(count)
    }

    fn what(&self) -> String {
        format!("the events in {}", self.path.display())
    }
}
