//! Puts the records of several workers into the journal: whoever comes while some are written waits, and the next write takes all
//! that wait. Each worker goes on when its own record is durable, so that what the journal holds stays ahead of the host.
//! It must not know what records mean: `act` does.

use super::act::Ended;
use super::log::Log;
use model::{Failure, Record};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The journal of a run, for all its workers.
pub(super) struct Commit<'a> {
    log: Mutex<&'a mut dyn Log>,
    queue: Mutex<Queue>,
    written: Condvar,
}

struct Queue {
    /// What waits to be written, in order.
    records: Vec<Record>,
    /// How many records ever came.
    came: u64,
    /// How many of them are durable.
    durable: u64,
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
        let queue = Queue { records, came: 0, durable: 0, is_writing: false, seq, dead: None };
        Self { log: Mutex::new(log), queue: Mutex::new(queue), written: Condvar::new() }
    }

    /// Why nothing more may be done, if so.
    pub(super) fn death(&self) -> Option<Failure> {
        self.queue().dead.clone()
    }

    /// Returns when the records are durable.
    pub(super) fn append(&self, records: impl IntoIterator<Item = Record>) -> Result<(), Ended> {
        let mut queue = self.queue();
        if queue.add(records) == 0 { Ok(()) } else { self.wait(queue) }
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
            queue.add([record]);
        }
        self.wait(queue).map(|()| first)
    }

    fn wait<'q>(&'q self, mut queue: MutexGuard<'q, Queue>) -> Result<(), Ended> {
        let last = queue.came;
        loop {
            if queue.durable >= last {
                return Ok(());
            }
            if let Some(failure) = &queue.dead {
                return Err(Ended::Dead(failure.clone()));
            }
            queue = if queue.is_writing {
                self.written.wait(queue).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.write(queue)
            };
        }
    }

    /// Writes all that waits.
    fn write<'q>(&'q self, mut queue: MutexGuard<'q, Queue>) -> MutexGuard<'q, Queue> {
        queue.is_writing = true;
        let (records, last) = (std::mem::take(&mut queue.records), queue.came);
        drop(queue);
        let failure = Failure::unknown("the journal", "whoever wrote to it was cut off");
        let mut turn = Turn { commit: self, last, done: Err(failure) };
        turn.done = self.log.lock().unwrap_or_else(PoisonError::into_inner).append_all(records);
        drop(turn);
        self.queue()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// How many there were.
    fn add(&mut self, records: impl IntoIterator<Item = Record>) -> u64 {
        let before = self.records.len();
        self.records.extend(records);
        let count = (self.records.len() - before) as u64;
        self.came += count;
        count
    }
}

/// One write. However it ends, those who wait for it are told.
struct Turn<'a, 'b> {
    commit: &'a Commit<'b>,
    /// Up to this record.
    last: u64,
    done: Result<(), Failure>,
}

impl Drop for Turn<'_, '_> {
    fn drop(&mut self) {
        let mut queue = self.commit.queue();
        queue.is_writing = false;
        match std::mem::replace(&mut self.done, Ok(())) {
            Ok(()) => queue.durable = self.last,
            Err(failure) => queue.dead = Some(failure),
        }
        drop(queue);
        self.commit.written.notify_all();
    }
}

#[cfg(test)]
mod tests;
