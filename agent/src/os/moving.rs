//! While this process is being moved among the processes of the host, it starts none: what is born then could be left behind. A move
//! begins when the first program is to be started, or after a while: who has ended before then need not be moved.
//! It must not know where to, nor why: `detached::scope` does.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// There is none to come.
    Here,
    /// It is to come.
    Due,
    /// It is to begin now: a program waits for it.
    Wanted,
    /// It is under way.
    Under,
}

static WAY: Mutex<Way> = Mutex::new(Way::Here);
static CHANGED: Condvar = Condvar::new();

/// A move that is to come, or under way, until this is dropped: nothing is started meanwhile but by `Child::run_on_the_way`.
#[derive(Debug)]
pub struct Moving(());

impl Moving {
    /// From now on nothing is started before the move.
    pub fn due() -> Self {
        *way() = Way::Due;
        Self(())
    }

    /// Returns when it is to begin: once a program is to be started, or after so long. False where it has been called off.
    pub fn is_to_begin(&self, patience: Duration) -> bool {
        let waited = CHANGED.wait_timeout_while(way(), patience, |way| *way == Way::Due);
        let (mut way, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let begins = *way != Way::Here;
        if begins {
            *way = Way::Under;
        }
        begins
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        *way() = Way::Here;
        CHANGED.notify_all();
    }
}

/// Calls off a move when it is dropped, unless that has begun: whoever was to be moved has ended.
#[derive(Debug)]
pub struct Until;

impl Drop for Until {
    fn drop(&mut self) {
        let mut way = way();
        if *way == Way::Due {
            *way = Way::Here;
            CHANGED.notify_all();
        }
    }
}

/// Returns when this process is where it stays.
pub(super) fn wait() {
    let mut way = way();
    if *way == Way::Due {
        *way = Way::Wanted;
        CHANGED.notify_all();
    }
    drop(CHANGED.wait_while(way, |way| *way != Way::Here).unwrap_or_else(PoisonError::into_inner));
}

fn way() -> MutexGuard<'static, Way> {
    WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Moving, Until};
    use crate::os::child::Child;
    use std::sync::Mutex;
    use std::sync::mpsc::channel;
    use std::time::{Duration, Instant};

    const LONG: Duration = Duration::from_secs(60);

    /// There is one move in a process.
    static ALONE: Mutex<()> = Mutex::new(());

    #[test]
    fn nothing_is_born_on_the_way_and_who_wants_to_be_has_it_begin() {
        let _alone = ALONE.lock();
        let (moving, begun) = (Moving::due(), Instant::now());
        let (born, is_born) = channel();
        let other = std::thread::spawn(move || {
            Child::new(["true"]).run().unwrap();
            born.send(()).unwrap();
        });
        assert!(moving.is_to_begin(LONG) && begun.elapsed() < LONG);
        assert!(Child::new(["true"]).run_on_the_way().unwrap().status.success());
        assert!(is_born.recv_timeout(Duration::from_millis(100)).is_err(), "it did not wait");
        drop(moving);
        is_born.recv_timeout(LONG).unwrap();
        other.join().unwrap();
    }

    #[test]
    fn it_begins_by_itself_after_a_while() {
        let _alone = ALONE.lock();
        let moving = Moving::due();
        assert!(moving.is_to_begin(Duration::from_millis(1)));
        drop(Until);
        assert!(moving.is_to_begin(LONG), "what is under way is not called off");
    }

    #[test]
    fn who_has_ended_is_not_moved() {
        let _alone = ALONE.lock();
        let (moving, until) = (Moving::due(), Until);
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let begins = scope.spawn(|| moving.is_to_begin(LONG));
            drop(until);
            assert!(!begins.join().unwrap() && begun.elapsed() < LONG);
        });
        Child::new(["true"]).run().unwrap();
    }
}
