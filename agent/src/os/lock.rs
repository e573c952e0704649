//! One run at a time on a host: an flock on a file that says, for people, who holds it.
//! The kernel drops the lock with its process, so nothing is ever judged stale and no lock file is ever deleted.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, fstat, ftruncate, openat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::error::{Doing, Result};
use super::meta::{FileKind, Meta};
use super::parent::Parent;
use super::safe_path::require;

/// More than any holder writes.
const MOST: u64 = 16 << 10;
/// How often a waiting process tries again.
const AGAIN: Duration = Duration::from_millis(100);

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
pub struct Lock(#[expect(dead_code, reason = "held for its descriptor")] File);

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
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Ok(Attempt::Held(read_holder(&file))),
        Err(errno) => return Err(errno).doing("lock", path),
    }
    ftruncate(&file, 0).doing("empty", path)?;
    let text =
        serde_json::to_vec(holder).map_err(std::io::Error::from).doing("describe the holder in", path)?;
    (&file).write_all(&text).doing("write", path)?;
    Ok(Attempt::Taken(Lock(file)))
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

fn read_holder(mut file: &File) -> std::result::Result<Holder, String> {
    let mut text = Vec::new();
    file.rewind().and_then(|()| file.take(MOST).read_to_end(&mut text)).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Attempt, Holder, lock_within, try_lock};
    use std::time::Duration;

    fn holder(run: &str) -> Holder {
        let (since, command) = ("2026-01-01T00:00:00Z".to_owned(), "apply".to_owned());
        Holder { pid: std::process::id(), run: run.to_owned(), since, command }
    }

    #[test]
    fn one_holds_it_and_the_others_learn_who() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let Attempt::Taken(lock) = try_lock(&path, &holder("first")).unwrap() else { panic!("it is free") };
        let Attempt::Held(Ok(by)) = try_lock(&path, &holder("second")).unwrap() else { panic!("it is held") };
        assert_eq!(by, holder("first"));
        let waiting =
            std::thread::spawn(move || lock_within(&path, &holder("third"), Duration::from_secs(10)));
        std::thread::sleep(Duration::from_millis(50));
        drop(lock);
        assert!(matches!(waiting.join().unwrap().unwrap(), Attempt::Taken(_)));
    }
}
