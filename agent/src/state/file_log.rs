//! The engine's records in the journal of a run.

use super::StateDir;
use crate::engine::Log;
use crate::journal::record::{Begin, Record};
use crate::journal::{Appender, create};
use model::{Failure, Owed, Report};
use std::collections::BTreeSet;

/// The journal of a run that is under way.
#[derive(Debug)]
pub struct FileLog {
    journal: Appender,
}

impl FileLog {
    /// Begins the journal of a run. It appears whole, with what earlier runs left owed already in it: from that moment
    /// on it stands in for theirs.
    pub fn begin(state: &StateDir, begin: Begin, owed: &BTreeSet<Owed>) -> Result<Self, Failure> {
        let dir = state.make_run(begin.run)?;
        let mut first = vec![Record::Begin(begin)];
        first.extend(owed.iter().cloned().map(Record::Owed));
        Ok(Self { journal: create(&dir.join("journal"), &first)? })
    }

    /// Records the end.
    pub fn end(&mut self, report: Report) -> Result<(), Failure> {
        Ok(self.journal.append_closing(&Record::End(report))?)
    }
}

impl Log for FileLog {
    fn append(&mut self, record: Record) -> Result<(), Failure> {
        Ok(match record {
            // What is under way can be closed also on a full disk.
            Record::Done { .. } | Record::Failed { .. } | Record::Settled(_) => {
                self.journal.append_closing(&record)
            }
            _ => self.journal.append(&record),
        }?)
    }
}
