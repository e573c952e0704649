//! Puts the records of several workers into the journal: whoever comes while some are written waits, and the next write takes all
//! that wait. Each worker goes on when its own record is durable, so that what the journal holds stays ahead of the host.
//! It must not know what records mean: `act` does.

use super::act::Ended;
use super::log::Log;
use crate::turns::Turns;
use model::{Failure, Record};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The journal of a run, for all its workers.
pub(super) struct Commit<'a> {
    log: Mutex<&'a mut dyn Log>,
    queue: Mutex<Queue>,
    writes: Turns<(), Failure>,
}

struct Queue {
    /// What waits to be written, in order.
    records: Vec<Record>,
    /// Stays so where whoever writes panics.
    is_writing: bool,
    /// Number of the last op that was announced.
    seq: u64,
    /// Why nothing more is written.
    dead: Option<Failure>,
}

impl<'a> Commit<'a> {
    /// Goes on with `log`.
    pub(super) fn new(log: &'a mut dyn Log) -> Self {
        let (records, seq) = (Vec::new(), log.last_seq());
        let queue = Queue { records, is_writing: false, seq, dead: None };
        Self { log: Mutex::new(log), queue: Mutex::new(queue), writes: Turns::new() }
    }

    /// Why nothing more may be done, if so.
    pub(super) fn death(&self) -> Option<Failure> {
        self.queue().dead.clone()
    }

    /// Returns when the records are durable.
    pub(super) fn append(&self, records: impl IntoIterator<Item = Record>) -> Result<(), Ended> {
        let records: Vec<Record> = records.into_iter().collect();
        if records.is_empty() {
            return Ok(());
        }
        self.queue().records.extend(records);
        self.wait()
    }

    /// Gives each op its number, and returns when all their records are durable. The numbers in the journal ascend, and follow each other
    /// from the one that is returned.
    pub(super) fn announce<I: FnOnce(u64) -> Record>(
        &self,
        intents: impl IntoIterator<Item = I>,
    ) -> Result<u64, Ended> {
        let mut queue = self.queue();
        let first = queue.seq + 1;
        for intent in intents {
            queue.seq += 1;
            let record = intent(queue.seq);
            queue.records.push(record);
        }
        drop(queue);
        self.wait().map(|()| first)
    }

    fn wait(&self) -> Result<(), Ended> {
        self.writes.take((), || self.write()).map_err(Ended::Dead)
    }

    /// Writes all that waits; nothing where the write before took all of it.
    fn write(&self) -> Result<(), Failure> {
        let mut queue = self.queue();
        if queue.is_writing && queue.dead.is_none() {
            queue.dead = Some(Failure::unknown("the journal", "whoever wrote to it was cut off"));
        }
        if let Some(failure) = &queue.dead {
            return Err(failure.clone());
        }
        let records = std::mem::take(&mut queue.records);
        if records.is_empty() {
            return Ok(());
        }
        queue.is_writing = true;
        drop(queue);
        let done = self.log.lock().unwrap_or_else(PoisonError::into_inner).append_all(records);
        let mut queue = self.queue();
        queue.is_writing = false;
        queue.dead = done.clone().err();
        done
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
