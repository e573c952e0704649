//! Syncs of small files that several workers want at once. One of them does all that wait: it has the system begin to write each of
//! them, and only then waits for each. What costs is the file system's own journal, which is written once for all of them so.
//!
//! Each worker has the outcome of its own file, of a sync that began after its call. It must not sync a file twice: after a failure
//! nothing is known of it.

use crate::turns::Turns;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, ScopedJoinHandle};
use std::time::{Duration, Instant};

use rustix::fs::{Advice, fadvise, fstat, fsync};
use rustix::io::Errno;

/// Larger files are synced by whoever wrote them: nobody waits for another's.
const SMALL: u64 = 1 << 20;

/// A sync that takes longer is slow.
const SLOW: Duration = Duration::from_millis(2);

/// So many are synced at once where they are slow.
const MOST: usize = 8;

/// How a sync ended.
type Done = Result<(), Errno>;

/// What fits a page is begun whole where its first byte is asked for.
const PAGE: u64 = 4096;

static SYNCS: FileSyncs = FileSyncs { lanes: Mutex::new(BTreeMap::new()), turns: Turns::new() };

/// Makes what was written to the file durable, its attributes included.
///
/// # Errors
/// The system's answer; what is on the disk then is anybody's guess.
pub(super) fn sync(file: &Arc<File>) -> Done {
    sync_all(std::slice::from_ref(file)).pop().unwrap_or(Ok(()))
}

/// The same of several, at once; in their order.
pub(super) fn sync_all(files: &[Arc<File>]) -> Vec<Done> {
    let begun: Vec<Begun> = files.iter().map(|file| SYNCS.begin(file)).collect();
    let end = |begun| match begun {
        Begun::Ended(done) => done,
        Begun::Waits(dev, number) => SYNCS.end(dev, number),
    };
    begun.into_iter().map(end).collect()
}

/// How far a sync is.
enum Begun {
    /// It was done at once.
    Ended(Done),
    /// It waits with those of the file system, under this number.
    Waits(u64, u64),
}

/// A file to be synced.
struct Item {
    file: Arc<File>,
    size: u64,
}

impl Item {
    /// Has the system begin to write it. This is advice: where it is not taken, the sync does all.
    fn begin(&self) -> Done {
        let length = if self.size <= PAGE { NonZeroU64::new(1) } else { None };
        fadvise(&self.file, 0, length, Advice::DontNeed)
    }
}

/// All syncs, by file system.
struct FileSyncs {
    lanes: Mutex<BTreeMap<u64, Lane>>,
    turns: Turns<u64, Infallible>,
}

/// Those of one file system.
#[derive(Default)]
struct Lane {
    /// How many ever came.
    came: u64,
    waiting: Vec<(u64, Item)>,
    done: BTreeMap<u64, Done>,
}

impl FileSyncs {
    fn begin(&self, file: &Arc<File>) -> Begun {
        let stat = match fstat(file) {
            Ok(stat) => stat,
            Err(errno) => return Begun::Ended(Err(errno)),
        };
        let (dev, size) = (stat.st_dev, stat.st_size.unsigned_abs());
        if size > SMALL {
            return Begun::Ended(fsync(file));
        }
        let mut lanes = self.lanes();
        let lane = lanes.entry(dev).or_default();
        lane.came += 1;
        lane.waiting.push((lane.came, Item { file: Arc::clone(file), size }));
        Begun::Waits(dev, lane.came)
    }

    fn end(&self, dev: u64, mine: u64) -> Done {
        let outcome = || self.lanes().get_mut(&dev).and_then(|lane| lane.done.remove(&mine));
        if let Some(done) = outcome() {
            return done;
        }
        let Ok(()) = self.turns.take(dev, || {
            let all = self.lanes().get_mut(&dev).map(|lane| std::mem::take(&mut lane.waiting));
            let done = work(all.unwrap_or_default());
            self.lanes().entry(dev).or_default().done.extend(done);
            Ok(())
        });
        // Whoever synced it panicked: nothing is known of it.
        outcome().unwrap_or(Err(Errno::IO))
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<u64, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// It lets go of the files: one may be a program that is about to be run.
fn work(all: Vec<(u64, Item)>) -> Vec<(u64, Done)> {
    if all.len() > 1 {
        // Whether the advice was taken makes no difference to what is durable in the end.
        all.iter().map(|(_, item)| item.begin()).filter_map(Result::err).for_each(drop);
    }
    let mut done = Vec::with_capacity(all.len());
    let mut left = &all[..];
    while let Some((one, rest)) = left.split_first() {
        let begun = Instant::now();
        done.push(one_of(one));
        left = rest;
        // The first has the file system's journal written. If the next are slow all the same, the disk is, and takes several at once.
        if done.len() > 1 && begun.elapsed() > SLOW {
            break;
        }
    }
    done.extend(at_once(left));
    done
}

fn one_of((number, item): &(u64, Item)) -> (u64, Done) {
    (*number, fsync(&item.file))
}

fn at_once(all: &[(u64, Item)]) -> Vec<(u64, Done)> {
    let share = all.len().div_ceil(MOST).max(1);
    std::thread::scope(|scope| {
        let each = |share: &[(u64, Item)]| share.iter().map(one_of).collect::<Vec<_>>();
        let begin = |share| (share, Builder::new().spawn_scoped(scope, move || each(share)));
        let begun: Vec<_> = all.chunks(share).map(begin).collect();
        // Where there is no thread to be had, this one does it. Of one that is gone without a word nothing is known.
        let lost = |(number, _): &(u64, Item)| (*number, Err(Errno::IO));
        let end = |(share, thread): (&[(u64, Item)], std::io::Result<ScopedJoinHandle<'_, _>>)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|_| share.iter().map(lost).collect()),
            Err(_) => each(share),
        };
        begun.into_iter().flat_map(end).collect()
    })
}

#[expect(clippy::disallowed_methods, reason = "makes scratch files")]
#[cfg(test)]
mod tests {
    use super::{Begun, FileSyncs, Item, SMALL, Turns, at_once, sync};
    use rustix::io::Errno;
    use std::collections::BTreeMap;
    use std::fs::File;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[test]
    fn all_are_synced_whatever_their_size() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for (at, size) in [0, 1, 4096, 4097, 100_000, SMALL, SMALL + 1].into_iter().enumerate() {
                let path = dir.path().join(at.to_string());
                scope.spawn(move || {
                    let mut file = File::create(&path).unwrap();
                    file.write_all(&vec![7; size as usize]).unwrap();
                    assert_eq!(sync(&Arc::new(file)), Ok(()));
                    assert_eq!(std::fs::metadata(path).unwrap().len(), size);
                });
            }
        });
    }

    #[test]
    fn what_is_slow_is_synced_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let item = |at: u64| {
            let file = Arc::new(File::create(dir.path().join(at.to_string())).unwrap());
            (at, Item { file, size: 0 })
        };
        for count in [0, 1, 7, 8, 9, 40] {
            let all: Vec<_> = (0..count).map(item).collect();
            assert_eq!(at_once(&all), (0..count).map(|at| (at, Ok(()))).collect::<Vec<_>>());
        }
    }

    #[test]
    fn each_hears_of_its_own_file() {
        let syncs = FileSyncs { lanes: Mutex::new(BTreeMap::new()), turns: Turns::new() };
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for at in 0..32 {
                let (syncs, dir) = (&syncs, dir.path());
                scope.spawn(move || {
                    // A pipe cannot be synced.
                    let bad = at % 2 == 0;
                    let file: File = if bad {
                        std::io::pipe().map(|(_, write)| std::os::fd::OwnedFd::from(write).into()).unwrap()
                    } else {
                        File::create(dir.join(at.to_string())).unwrap()
                    };
                    let found = match syncs.begin(&Arc::new(file)) {
                        Begun::Waits(dev, number) => syncs.end(dev, number),
                        Begun::Ended(done) => done,
                    };
                    assert_eq!(found, if bad { Err(Errno::INVAL) } else { Ok(()) });
                });
            }
        });
        let lanes = syncs.lanes();
        assert!(lanes.values().all(|lane| lane.waiting.is_empty() && lane.done.is_empty()));
    }
}
