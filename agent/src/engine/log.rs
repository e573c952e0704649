//! Where the engine's records go, and the faults that tests inject there.

use model::{Failure, Record};

/// Takes records. When `append` returns, the record is durable; when it fails, the run is over.
pub trait Log: Send {
    /// Takes one record.
    fn append(&mut self, record: Record) -> Result<(), Failure>;

    /// Takes several, in this order. When it fails, some of the first may be durable.
    fn append_all(&mut self, records: Vec<Record>) -> Result<(), Failure> {
        records.into_iter().try_for_each(|record| self.append(record))
    }

    /// The number of the last op that was announced in the same journal before; 0 where there was none.
    fn last_seq(&self) -> u64 {
        0
    }
}

/// Faults to inject, for tests of the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The node at this position fails before it does anything.
    pub fail_at_node: Option<usize>,
    /// After this many records the process is gone: nothing more is written and nothing more is done.
    pub crash_after_record: Option<u64>,
}

/// Keeps records in memory, and crashes where it is told to.
#[derive(Debug, Default)]
pub struct MemoryLog {
    /// The records so far.
    pub records: Vec<Record>,
    crash_after: Option<u64>,
}

impl MemoryLog {
    /// A log that takes as many records as `faults` allow.
    pub fn new(faults: Faults) -> Self {
        Self { records: Vec::new(), crash_after: faults.crash_after_record }
    }
}

impl Log for MemoryLog {
    fn append(&mut self, record: Record) -> Result<(), Failure> {
        if self.crash_after.is_some_and(|most| self.records.len() as u64 >= most) {
            return Err(Failure::io("append to", "the journal", "injected crash"));
        }
        self.records.push(record);
        Ok(())
    }
}
