//! One run at a time on a host: an flock on a file that says, for people, who holds it.
//! The kernel drops the lock with its process, so nothing is ever judged stale and no lock file is ever deleted.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, fstat, ftruncate, openat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::error::{Doing, Result};
use super::meta::{FileKind, Meta};
use super::parent::Parent;
use super::safe_path::{Follow, open_file, require};

/// More than any holder writes.
const MOST: u64 = 16 << 10;
/// How often a waiting process tries again.
const AGAIN: Duration = Duration::from_millis(100);
/// Longer than a look at the lock, or what its holder writes, takes.
const LOOK: Duration = Duration::from_millis(5);

/// Who holds a lock. For display only: the lock itself is the kernel's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process number.
    pub pid: u32,
    /// Run id.
    pub run: String,
    /// When it was taken, RFC 3339.
    pub since: String,
    /// What it was taken for, such as `apply`.
    pub command: String,
}

/// The answer to an attempt to take a lock.
#[derive(Debug)]
pub enum Attempt {
    /// It is ours until this is dropped.
    Taken(Lock),
    /// It is somebody else's; the reason stands for the holder where that could not be read.
    Held(std::result::Result<Holder, String>),
}

/// A lock that is held. Dropping it, or the end of the process, frees it.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Writes down anew who has it, in place of what was told before. Who reads it meanwhile may find neither.
    ///
    /// # Errors
    /// The system's answer.
    pub fn tell(&self, holder: &Holder) -> Result<()> {
        let text = serde_json::to_vec(holder).map_err(std::io::Error::from);
        let text = text.doing("describe the holder in", &self.path)?;
        self.file.write_all_at(&text, 0).doing("write", &self.path)?;
        ftruncate(&self.file, text.len() as u64).doing("shorten", &self.path)
    }
}

/// Tries once to take the lock on `path`, whose directory must exist, and writes down who has it.
///
/// # Errors
/// The system's answer to anything but "it is taken".
pub fn try_lock(path: &Path, holder: &Holder) -> Result<Attempt> {
    let parent = Parent::open(path)?;
    let flags = OFlags::RDWR
        | OFlags::CREATE
        | OFlags::CLOEXEC
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY;
    let file = openat(&parent.dir, &parent.name, flags, Mode::RUSR | Mode::WUSR)
        .map(File::from)
        .doing("open", path)?;
    require(path, &Meta::from(&fstat(&file).doing("look at", path)?), FileKind::File)?;
    if !lock_past_looks(&file).doing("lock", path)? {
        return Ok(Attempt::Held(read_holder(&file)));
    }
    let lock = Lock { file, path: path.to_owned() };
    lock.tell(holder)?;
    Ok(Attempt::Taken(lock))
}

/// Whether it is ours. Somebody who only looks at it is waited for: that takes an instant.
fn lock_past_looks(file: &File) -> std::result::Result<bool, Errno> {
    let try_to = |operation| match flock(file, operation) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(errno),
    };
    while !try_to(FlockOperation::NonBlockingLockExclusive)? {
        // Where it can be shared nobody has it to himself.
        if !try_to(FlockOperation::NonBlockingLockShared)? {
            return Ok(false);
        }
        flock(file, FlockOperation::Unlock)?;
        std::thread::sleep(LOOK);
    }
    Ok(true)
}

/// Who has the lock on `path` now; `None` where nobody has. Whoever wants it meanwhile gets it all the same.
///
/// # Errors
/// The system's answer.
pub fn holder(path: &Path) -> Result<Option<std::result::Result<Holder, String>>> {
    let Some((file, _)) = open_file(path, Follow::No)? else { return Ok(None) };
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(None),
        Err(Errno::WOULDBLOCK) => Ok(Some(read_holder(&file))),
        Err(errno) => Err(errno).doing("look at the lock", path),
    }
}

/// As `try_lock`, again and again until it is taken or `patience` has passed.
///
/// # Errors
/// As `try_lock`.
pub fn lock_within(path: &Path, holder: &Holder, patience: Duration) -> Result<Attempt> {
    let start = Instant::now();
    loop {
        let attempt = try_lock(path, holder)?;
        if matches!(attempt, Attempt::Taken(_)) || start.elapsed() >= patience {
            return Ok(attempt);
        }
        std::thread::sleep(AGAIN.min(patience.saturating_sub(start.elapsed())));
    }
}

/// A holder may be about to say who it is.
fn read_holder(mut file: &File) -> std::result::Result<Holder, String> {
    let mut last = String::new();
    for _ in 0..4 {
        let mut text = Vec::new();
        let read = file.rewind().and_then(|()| file.take(MOST).read_to_end(&mut text));
        read.map_err(|error| error.to_string())?;
        match serde_json::from_slice(&text) {
            Ok(holder) => return Ok(holder),
            Err(error) => last = error.to_string(),
        }
        std::thread::sleep(LOOK);
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::{Attempt, Holder, holder, lock_within, try_lock};
    use std::time::Duration;

    fn named(run: &str) -> Holder {
        let (since, command) = ("2026-01-01T00:00:00Z".to_owned(), "apply".to_owned());
        Holder { pid: std::process::id(), run: run.to_owned(), since, command }
    }

    #[test]
    fn one_holds_it_and_the_others_learn_who() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let Attempt::Taken(lock) = try_lock(&path, &named("first")).unwrap() else { panic!("it is free") };
        let Attempt::Held(Ok(by)) = try_lock(&path, &named("second")).unwrap() else { panic!("it is held") };
        assert_eq!(by, named("first"));
        let waiting =
            std::thread::spawn(move || lock_within(&path, &named("third"), Duration::from_secs(10)));
        std::thread::sleep(Duration::from_millis(50));
        drop(lock);
        assert!(matches!(waiting.join().unwrap().unwrap(), Attempt::Taken(_)));
    }

    #[test]
    fn who_looks_takes_nothing_and_learns_what_is_told_later() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert!(holder(&path).unwrap().is_none());
        let Attempt::Taken(lock) = try_lock(&path, &named("")).unwrap() else { panic!("it is free") };
        assert_eq!(holder(&path).unwrap(), Some(Ok(named(""))));
        for run in ["1234", "7"] {
            lock.tell(&named(run)).unwrap();
            assert_eq!(holder(&path).unwrap(), Some(Ok(named(run))));
        }
        drop(lock);
        assert!(holder(&path).unwrap().is_none());
    }

    #[test]
    fn many_looks_keep_nobody_from_taking_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        drop(try_lock(&path, &named("")).unwrap());
        std::thread::scope(|scope| {
            let looks = || (0..2000).for_each(|_| drop(holder(&path).unwrap()));
            let looking = scope.spawn(looks);
            while !looking.is_finished() {
                assert!(matches!(try_lock(&path, &named("x")).unwrap(), Attempt::Taken(_)));
            }
        });
    }
}
