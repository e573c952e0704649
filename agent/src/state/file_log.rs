//! The engine's records in the journal of a run.

use super::StateDir;
use super::pack;
use crate::engine::Log;
use crate::failpoint;
use crate::journal::{Appender, Space, create, resume};
use model::{Begin, Failure, Owed, Record, Report, Status};
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// Name of what a run that ended by itself leaves beside its journal.
pub(super) const CLOSING: &str = "closing";

/// The journal of a run that is under way.
#[derive(Debug)]
pub struct FileLog {
    journal: Appender,
    closing: PathBuf,
    /// The last op that another process announced.
    last_seq: u64,
}

impl FileLog {
    /// Begins the journal of a run. It appears whole, with what earlier runs left owed already in it: from that moment
    /// on it stands in for theirs.
    pub fn begin(state: &StateDir, begin: Begin, owed: &BTreeSet<Owed>) -> Result<Self, Failure> {
        let made = state.make_run(begin.run)?;
        let dir = state.run_dir(begin.run);
        let mut first = vec![Record::Begin(begin)];
        first.extend(owed.iter().cloned().map(Record::Owed));
        pack::create(&dir)?;
        let journal = create(&dir.join("journal"), &first)?;
        // The directory is durable with all names in it; now its own name is to be.
        made.sync()?;
        Ok(Self { journal, closing: dir.join(CLOSING), last_seq: 0 })
    }

    /// Goes on with the journal of a run that another process began, with what it amounts to so far.
    ///
    /// # Errors
    /// There is none, it cannot be read or written, or it cannot be trusted.
    pub fn resume(state: &StateDir, run: u64) -> Result<(Self, Status), Failure> {
        let dir = state.run_dir(run);
        let resumed = resume::<Record>(&dir.join("journal"))?;
        let odd = |why: String| Failure::unknown(format!("run {run}"), why);
        let status = Status::of(resumed.records).map_err(|misplaced| odd(misplaced.to_string()))?;
        let last_seq = status.acts.keys().last().copied().unwrap_or(0);
        Ok((Self { journal: resumed.journal, closing: dir.join(CLOSING), last_seq }, status))
    }

    /// Records the end, and beside the journal what it leaves owed, so that the next run need not read all of it. That note is
    /// not synced: the journal, which is, has all of it as well, and less than the whole note is none.
    pub fn end(&mut self, report: Report, owed: &BTreeSet<Owed>) -> Result<(), Failure> {
        self.journal.append_closing(&Record::End(report))?;
        let bytes =
            serde_json::to_vec(owed).map_err(|error| Failure::io("describe", "what is owed", error))?;
        let failed = |error| Failure::io("write", self.closing.display(), error);
        failpoint::hit("closing.create").map_err(failed)?;
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.closing);
        let written = opened.and_then(|mut file| {
            failpoint::hit("closing.write")?;
            file.write_all(&bytes)
        });
        written.map_err(failed)
    }
}

impl Log for FileLog {
    fn append(&mut self, record: Record) -> Result<(), Failure> {
        self.append_all(vec![record])
    }

    fn append_all(&mut self, records: Vec<Record>) -> Result<(), Failure> {
        let space = |record: &Record| match record {
            // What is under way can be closed also on a full disk.
            Record::Done { .. } | Record::Failed { .. } | Record::Settled(_) => Space::Closing,
            _ => Space::Ordinary,
        };
        Ok(self.journal.append_all(records.iter().map(|record| (record, space(record))))?)
    }

    fn last_seq(&self) -> u64 {
        self.last_seq
    }
}
