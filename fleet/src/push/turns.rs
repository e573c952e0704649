//! Whose turn it is. At most so many hosts are at work at once; a host that does not answer holds nobody up: while it is being
//! connected to it counts only for a moment, then the next one is begun. A connection that comes after that moment waits for a
//! place, so the limit on work is kept however late hosts answer.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a connection that comes about holds the next host up.
const MOMENT: Duration = Duration::from_secs(1);

/// Most hosts that are connected to at once, the silent ones included.
const MOST_DIALLING: usize = 256;

/// The places.
pub struct Turns {
    parallel: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Since when each host is being connected to.
    dialling: BTreeMap<usize, Instant>,
    /// Hosts that are connected and wait for a place.
    waiting: usize,
    /// Hosts at work.
    working: usize,
}

impl Turns {
    /// Places for `parallel` hosts, at least one.
    pub fn new(parallel: usize) -> Self {
        Self { parallel: parallel.max(1), state: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits until the next host may be connected to, and takes note that `host` is.
    pub fn begin(&self, host: usize) -> Turn<'_> {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let age = |since: &Instant| now.duration_since(*since);
            let fresh = state.dialling.values().map(age).filter(|age| *age < MOMENT);
            let (count, oldest) = fresh.fold((0, MOMENT), |(count, _), age| (count + 1, age));
            if count + state.waiting + state.working < self.parallel && state.dialling.len() < MOST_DIALLING {
                state.dialling.insert(host, now);
                return Turn { turns: self, host, place: Place::Dialling };
            }
            let nap = MOMENT.saturating_sub(oldest).max(Duration::from_millis(1));
            state = self.changed.wait_timeout(state, nap).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The counts are right even where somebody panicked while holding them: each step is one assignment.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a host is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Dialling,
    Working,
}

/// A host's turn; it ends when this goes.
pub struct Turn<'a> {
    turns: &'a Turns,
    host: usize,
    place: Place,
}

impl Turn<'_> {
    /// The connection is there: waits for a place to work, unless it has one.
    pub fn work(&mut self) {
        if self.place == Place::Working {
            return;
        }
        let mut state = self.turns.lock();
        state.dialling.remove(&self.host);
        state.waiting += 1;
        while state.working >= self.turns.parallel {
            state = self.turns.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
        state.working += 1;
        self.place = Place::Working;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        match self.place {
            Place::Dialling => {
                state.dialling.remove(&self.host);
            }
            Place::Working => state.working -= 1,
        }
        self.turns.changed.notify_all();
    }
}
