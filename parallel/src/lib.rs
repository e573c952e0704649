//! Work that is shared by threads until all of it is done, on processors of their own as soon as they begin. It does not know what the work is.

mod placement;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{JoinHandle, Scope};

/// Most threads that are worth it for what ends in milliseconds.
const MOST: usize = 8;

/// How many processors this process may use.
pub fn processors() -> usize {
    placement::processors().max(1)
}

/// How many threads are worth it for short work where one of them should have `worth` items at least: one at least, eight at most, and no more than processors.
pub fn threads(items: usize, worth: usize) -> usize {
    (items / worth).clamp(1, processors().min(MOST))
}

/// What `work` makes of each of `items`, in their order, with at most `most` at a time.
///
/// # Panics
/// Where `work` does.
pub fn map<T: Sync, R: Send>(items: &[T], most: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = most.min(items.len());
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
    run(threads, || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return };
            let result = work(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Runs `work` in a thread of `scope` beside the caller, the `number`th of those that are begun beside it, from 1.
///
/// # Panics
/// Where the system has no more threads to give.
pub fn beside_in<'scope>(
    scope: &'scope Scope<'scope, '_>,
    number: usize,
    work: impl FnOnce() + Send + 'scope,
) {
    let here = placement::here();
    scope.spawn(move || {
        placement::leave(here, number);
        work();
    });
    // As in `run`.
    std::thread::yield_now();
}

/// Runs `work` in a thread of its own beside the caller. `None` where the system has no more threads to give: then it is dropped, and not run.
pub fn beside(work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    let here = placement::here();
    let begin = move || {
        placement::leave(here, 1);
        work();
    };
    let begun = std::thread::Builder::new().spawn(begin).ok();
    // As in `run`.
    std::thread::yield_now();
    begun
}

/// Runs `work` in `threads` threads, the caller's among them, until each has returned. They share what there is to do by themselves:
/// where the system has no more threads to give, fewer do it.
///
/// # Panics
/// Where one of them does.
pub fn run(threads: usize, work: impl Fn() + Sync) {
    let (work, here) = (&work, placement::here());
    std::thread::scope(|scope| {
        for other in 1..threads {
            let begin = move || {
                placement::leave(here, other);
                work();
            };
            if std::thread::Builder::new().spawn_scoped(scope, begin).is_err() {
                break;
            }
            // It is let in here for a moment, to go where there is room.
            std::thread::yield_now();
        }
        work();
    });
}

#[cfg(test)]
mod tests {
    use super::{beside, beside_in, map, run, threads};
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Barrier, Mutex};

    #[test]
    fn each_is_done_once_and_in_order() {
        for (count, most) in [(0, 4), (1, 4), (2, 4), (1000, 0), (1000, 1), (1000, 3)] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(
                map(&items, most, |item| item * 2),
                items.iter().map(|item| item * 2).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn what_goes_on_beside_the_caller_is_done_once_it_is_joined() {
        let (said, heard) = std::sync::mpsc::channel();
        let caller = std::thread::current().id();
        let other = beside(move || said.send(std::thread::current().id()).unwrap()).unwrap();
        other.join().unwrap();
        assert_ne!(heard.try_recv().unwrap(), caller);
        let done = AtomicUsize::new(0);
        let done = &done;
        std::thread::scope(|scope| {
            (1..=4).for_each(|number| {
                beside_in(scope, number, move || {
                    done.fetch_add(number, Ordering::SeqCst);
                });
            });
        });
        assert_eq!(done.load(Ordering::SeqCst), 10);
    }

    #[test]
    fn few_items_are_not_worth_a_thread() {
        assert_eq!([0, 1, 63, 127].map(|items| threads(items, 64)), [1; 4]);
        assert!((1..=8).contains(&threads(1_000_000, 64)));
    }

    #[test]
    fn each_thread_works_and_all_is_done() {
        let (next, met, who) = (AtomicUsize::new(0), Barrier::new(5), Mutex::new(BTreeSet::new()));
        run(5, || {
            met.wait();
            who.lock().unwrap().insert(format!("{:?}", std::thread::current().id()));
            while next.fetch_add(1, Ordering::Relaxed) < 1000 {}
        });
        assert_eq!(who.into_inner().unwrap().len(), 5);
        assert!(next.into_inner() >= 1000);
    }

    #[test]
    fn a_panic_is_the_callers() {
        let (met, turn) = (Barrier::new(2), AtomicUsize::new(0));
        let one_panics = || {
            met.wait();
            assert_eq!(turn.fetch_add(1, Ordering::SeqCst), 0, "the second");
        };
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(2, one_panics)));
        assert!(ran.is_err());
    }
}
