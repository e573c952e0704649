//! The events of a run, a line of JSON each, in the run's directory: the same bytes that a terminal gets with `--format json`.

use super::StateDir;
use crate::engine::Sink;
use model::{Event, EventBody, Failure};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Mutex, PoisonError};

/// Takes finished events.
pub type Watcher<'a> = &'a (dyn Fn(&Event) + Sync);

/// Numbers events, gives them their time, hands them on, and once a run has begun writes them to its directory too.
pub struct EventLog<'a> {
    watcher: Watcher<'a>,
    now: &'a (dyn Fn() -> String + Sync),
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    seq: u64,
    file: Option<File>,
    /// What was said before the run had a directory.
    early: Vec<u8>,
    broken: bool,
}

impl<'a> EventLog<'a> {
    /// Hands events on to `watcher`; `now` is RFC 3339 in UTC.
    pub fn new(watcher: Watcher<'a>, now: &'a (dyn Fn() -> String + Sync)) -> Self {
        Self { watcher, now, inner: Mutex::default() }
    }

    /// From now on events go to the directory of `run` as well, those so far first.
    pub fn begin(&self, state: &StateDir, run: u64) -> Result<(), Failure> {
        let path = state.run_dir(run).join("events");
        // The directory is ours alone, and new: no other name can stand there.
        let opened = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path);
        let file = opened.map_err(|error| Failure::io("create", path.display(), error))?;
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let early = std::mem::take(&mut inner.early);
        inner.file = Some(file);
        inner.write(&early);
        Ok(())
    }
}

impl Inner {
    /// The log is for people; the journal is what counts. A full disk ends it and does not end the run.
    fn write(&mut self, line: &[u8]) {
        match &mut self.file {
            Some(file) if !self.broken => self.broken = file.write_all(line).is_err(),
            Some(_) => {}
            None => self.early.extend_from_slice(line),
        }
    }
}

impl Sink for EventLog<'_> {
    fn emit(&self, body: EventBody) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let event = Event { at: (self.now)(), seq: inner.seq, body };
        inner.seq += 1;
        if let Ok(mut line) = serde_json::to_vec(&event) {
            line.push(b'\n');
            inner.write(&line);
        }
        (self.watcher)(&event);
    }
}
