//! An agent that one push has started for the next: until the controller's first byte comes it has gathered nothing, holds nothing and says nothing.
//! What was checked before it was started still has to be so then; `service` goes on from there, as in an agent that is started when it is wanted.

use super::leftovers::state_of;
use model::Failure;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionread};
use std::fs::symlink_metadata;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Waits for the first byte on `input`, `patience` at most, and leaves it there. False where it is not wanted: `input` has ended, the time is over,
/// or the program at `own`, from which this process was started, is not what it was, or its directories are not.
///
/// # Errors
/// `input` or `own` cannot be looked at.
pub fn is_wanted(input: BorrowedFd<'_>, own: &Path, patience: Duration) -> Result<bool, Failure> {
    let program = Program::at(own)?;
    let first = has_first(input, patience);
    let first = first.map_err(|errno| Failure::io("wait for", "the first word", errno))?;
    Ok(first && program.is_as_it_was())
}

fn has_first(input: BorrowedFd<'_>, patience: Duration) -> Result<bool, Errno> {
    let until = Instant::now() + patience;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::from_borrowed_fd(input, PollFlags::IN)], Some(&left)) {
            // Something to read, or an end: then there is nothing.
            Ok(1..) => return Ok(ioctl_fionread(input)? > 0),
            Ok(0) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// A program as it was when it was looked at.
pub struct Program<'a> {
    own: &'a Path,
    seen: Seen,
}

impl<'a> Program<'a> {
    /// As it is now.
    ///
    /// # Errors
    /// It, or one of its directories, cannot be looked at.
    pub fn at(own: &'a Path) -> Result<Self, Failure> {
        Ok(Self { own, seen: seen(own)? })
    }

    /// Whether it is that still, and so are its directories. What cannot be looked at any more is not what it was.
    pub fn is_as_it_was(&self) -> bool {
        seen(self.own).is_ok_and(|now| now == self.seen)
    }
}

/// What tells that a program and the directories that it is in are others, or have been changed: of the program all that changes with its bytes,
/// its name or its owner; of the directories who may write there.
#[derive(PartialEq)]
struct Seen {
    program: (u64, u64, u32, u32, u64),
    changed: [i64; 4],
    directories: Vec<(u64, u64, u32, u32)>,
}

fn seen(own: &Path) -> Result<Seen, Failure> {
    let look = |path: &Path| {
        symlink_metadata(path).map_err(|error| Failure::io("look at", path.display().to_string(), error))
    };
    let program = look(own)?;
    let directories = [own.parent(), state_of(own)].into_iter().flatten();
    let directory = |path| look(path).map(|meta| (meta.dev(), meta.ino(), meta.mode(), meta.uid()));
    Ok(Seen {
        program: (program.dev(), program.ino(), program.mode(), program.uid(), program.size()),
        changed: [program.mtime(), program.mtime_nsec(), program.ctime(), program.ctime_nsec()],
        directories: directories.map(directory).collect::<Result<_, Failure>>()?,
    })
}
