//! What is kept of a run that goes on: enough to attach to it at the first event that was not told here. It must not hold anything of what
//! the run does.

use crate::watch::{Mark, Seen};
use serde::{Deserialize, Serialize};

/// The form of a record, for those that come later.
const VERSION: u32 = 1;

/// A run that goes on, or did when it was heard of last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    version: u32,
    /// The name of its target.
    host: String,
    /// What was asked for.
    command: String,
    run: Option<u64>,
    next: u64,
    /// Number and time of the last event that was told.
    last: Option<(u64, String)>,
    window: Option<u64>,
}

/// Most bytes of a name or command that are kept.
const LONGEST: usize = 300;

impl Record {
    /// Of a run, as far as it was seen.
    pub(crate) fn new(host: &str, command: &str, seen: &Seen) -> Self {
        let short = |text: &str| text.chars().take(LONGEST / 4).collect();
        Self {
            version: VERSION,
            host: short(host),
            command: short(command),
            run: seen.run,
            next: seen.next,
            last: seen.last.as_ref().map(|mark| (mark.seq, mark.at.clone())),
            window: seen.window,
        }
    }

    /// From a file.
    ///
    /// # Errors
    /// It is none, or of a later version; in words.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let record: Self = serde_json::from_str(text.trim()).map_err(|error| error.to_string())?;
        match record.version {
            VERSION => Ok(record),
            version => Err(format!("it has the version {version}, and this program knows {VERSION}")),
        }
    }
}

/// A run that an earlier call has lost sight of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost(pub(super) Record);

impl Lost {
    /// The name of its target, as that call had it.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// Its number; `None` where it is not known whether it has begun.
    pub fn run(&self) -> Option<u64> {
        self.0.run
    }

    /// The first event that was not told.
    pub fn next(&self) -> u64 {
        self.0.next
    }

    /// What was asked for.
    pub fn command(&self) -> &str {
        &self.0.command
    }

    /// `run 3`, or that its number is not known.
    pub fn named(&self) -> String {
        self.0.run.map_or_else(|| "a run".to_owned(), |run| format!("run {run}"))
    }

    pub(crate) fn seen(&self) -> Seen {
        let Record { run, next, last, window, .. } = self.0.clone();
        Seen { run, next, last: last.map(|(seq, at)| Mark { seq, at }), window, reboot: None }
    }
}
