//! Work that counts for all who asked for it before it began, such as the sync of a directory: whoever comes while it is under way
//! waits, and one of those who wait does it once more, for all of them.
//! It must not be used for work that depends on who does it.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Takes turns at each of several things.
#[derive(Debug)]
pub struct Turns<K, E> {
    things: Mutex<BTreeMap<K, Thing<E>>>,
    ended: Condvar,
}

/// The turns at one thing, counted from 1.
#[derive(Debug)]
struct Thing<E> {
    begun: u64,
    is_busy: bool,
    /// Turns that failed.
    failed: BTreeMap<u64, E>,
    /// Those who wait or work. Without any the thing is forgotten.
    here: usize,
}

impl<K, E> Turns<K, E> {
    /// Nothing is under way.
    pub const fn new() -> Self {
        Self { things: Mutex::new(BTreeMap::new()), ended: Condvar::new() }
    }
}

impl<K: Ord + Clone, E: Clone> Turns<K, E> {
    /// Returns when `work`, or the like of it by somebody else, has been done from its beginning to its end since the call.
    ///
    /// # Errors
    /// Those of the turn that counted for the call.
    pub fn take(&self, key: K, work: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let mut things = self.things();
        let thing = things.entry(key.clone()).or_insert_with(Thing::new);
        thing.here += 1;
        let mine = thing.begun + 1;
        loop {
            let thing = things.get_mut(&key).expect("it is there while somebody is");
            if thing.has_ended(mine) {
                let failure = thing.failed.get(&mine).cloned();
                Self::leave(&mut things, &key);
                return failure.map_or(Ok(()), Err);
            }
            if !thing.is_busy {
                thing.begin();
                drop(things);
                return self.work(key, (mine, work));
            }
            things = self.ended.wait(things).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(&self, key: K, (mine, work): (u64, impl FnOnce() -> Result<(), E>)) -> Result<(), E> {
        let mut turn = Turn { turns: self, key, is_done: false };
        let done = work();
        turn.is_done = true;
        if let Err(failure) = &done
            && let Some(thing) = self.things().get_mut(&turn.key)
        {
            thing.failed.insert(mine, failure.clone());
        }
        done
    }

    fn things(&self) -> MutexGuard<'_, BTreeMap<K, Thing<E>>> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(things: &mut BTreeMap<K, Thing<E>>, key: &K) {
        if let Some(thing) = things.get_mut(key) {
            thing.here -= 1;
            if thing.here == 0 {
                things.remove(key);
            }
        }
    }
}

impl<E> Thing<E> {
    fn new() -> Self {
        Self { begun: 0, is_busy: false, failed: BTreeMap::new(), here: 0 }
    }

    fn has_ended(&self, turn: u64) -> bool {
        self.begun > turn || (self.begun == turn && !self.is_busy)
    }

    fn begin(&mut self) {
        self.begun += 1;
        self.is_busy = true;
    }
}

/// Ends a turn. One that panicked has not been, and another one begins it.
struct Turn<'a, K: Ord + Clone, E: Clone> {
    turns: &'a Turns<K, E>,
    key: K,
    is_done: bool,
}

impl<K: Ord + Clone, E: Clone> Drop for Turn<'_, K, E> {
    fn drop(&mut self) {
        let mut things = self.turns.things();
        if let Some(thing) = things.get_mut(&self.key) {
            thing.is_busy = false;
            thing.begun -= u64::from(!self.is_done);
        }
        Turns::leave(&mut things, &self.key);
        drop(things);
        self.turns.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::Turns;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    /// So long a thread may take to come to where it waits.
    const SOON: Duration = Duration::from_secs(60);

    fn wait_until(is: impl Fn() -> bool) {
        let begun = std::time::Instant::now();
        while !is() {
            assert!(begun.elapsed() < SOON, "it never came");
            std::thread::yield_now();
        }
    }

    /// One is at work, and so many come meanwhile, who all work like `work`. What became of them.
    fn meanwhile(
        turns: &Turns<u8, u8>,
        count: usize,
        work: &(dyn Fn() -> Result<(), u8> + Sync),
    ) -> Vec<bool> {
        let (go, gone) = channel::<()>();
        std::thread::scope(|scope| {
            let (begun, has_begun) = channel();
            scope.spawn(move || {
                turns.take(1, || {
                    begun.send(()).unwrap();
                    gone.recv().unwrap();
                    Ok(())
                })
            });
            has_begun.recv().unwrap();
            let late: Vec<_> = (0..count).map(|_| scope.spawn(|| turns.take(1, work).is_ok())).collect();
            wait_until(|| turns.things().get(&1).is_some_and(|thing| thing.here == count + 1));
            go.send(()).unwrap();
            late.into_iter().map(|one| one.join().is_ok_and(|fine| fine)).collect()
        })
    }

    #[test]
    fn who_comes_while_one_is_at_work_shares_the_next() {
        let (turns, count) = (Turns::new(), AtomicU32::new(0));
        let work = || {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        assert_eq!(meanwhile(&turns, 8, &work), [true; 8]);
        assert_eq!(count.load(Ordering::SeqCst), 1, "once for all of them, and not the one that had begun");
        turns.take(1, work).unwrap();
        assert_eq!(count.load(Ordering::SeqCst), 2);
        assert!(turns.things().is_empty(), "nothing is kept");
    }

    #[test]
    fn all_hear_of_a_failure_that_counted_for_them() {
        let turns = Turns::new();
        assert_eq!(meanwhile(&turns, 4, &|| Err(5)), [false; 4]);
        assert_eq!(turns.take(1, || Ok(())), Ok(()), "and nobody else");
    }

    #[test]
    fn a_turn_that_panics_is_begun_by_another() {
        let (turns, count) = (Turns::new(), AtomicU32::new(0));
        let work = || {
            assert!(count.fetch_add(1, Ordering::SeqCst) > 0, "the first one");
            Ok(())
        };
        let fine = meanwhile(&turns, 4, &work).into_iter().filter(|fine| *fine).count();
        assert_eq!((fine, count.load(Ordering::SeqCst)), (3, 2));
        assert!(turns.things().is_empty());
    }

    #[test]
    fn two_things_are_worked_on_at_once() {
        let turns = Turns::<u8, u8>::new();
        assert_eq!(turns.take(1, || turns.take(2, || Ok(()))), Ok(()));
    }
}
