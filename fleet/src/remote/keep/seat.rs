//! A socket at which a connection that nobody uses waits for the next call. It is there only while the connection is free: whoever finds none
//! connects anew.

use super::ahead::Ahead;
use super::line::Line;
use super::place::is_ours;
use crate::remote::ssh2_link::poll_all;
use crate::remote::ssh2_remote::Ssh2;
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, chmod};
use rustix::time::{ClockId, clock_gettime};
use std::fs::{remove_file, rename, symlink_metadata};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How many this process has taken: each has a name of its own before it has that of its host.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// The time since some moment, that of sleep included: a laptop that wakes up does not find what was kept before.
pub(super) fn awake_or_not() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    // clock_gettime(3) of macOS: it goes on while the machine sleeps.
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    let now = clock_gettime(clock);
    let seconds = u64::try_from(now.tv_sec).expect("it begins with 0");
    Duration::from_secs(seconds) + Duration::from_nanos(now.tv_nsec.unsigned_abs())
}

/// One socket; its name goes with it.
pub(super) struct Seat {
    listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl Seat {
    /// Listens at `path`, in place of whoever did: a socket that nobody listens at any more, or one connection too many to the same host, which
    /// ends when it has not been found for long enough.
    pub(super) fn take(path: &Path) -> io::Result<Self> {
        let number = TAKEN.fetch_add(1, Ordering::Relaxed);
        let own = path.with_extension(format!("{}-{number}", std::process::id()));
        let listener = UnixListener::bind(&own)?;
        let placed = listener
            .set_nonblocking(true)
            .and_then(|()| Ok(chmod(&own, Mode::from_bits_truncate(0o600))?))
            .and_then(|()| symlink_metadata(&own))
            .and_then(|meta| rename(&own, path).map(|()| meta.ino()));
        match placed {
            Ok(inode) => Ok(Self { listener, path: path.to_owned(), inode }),
            Err(error) => {
                remove_file(&own)?;
                Err(error)
            }
        }
    }

    /// Waits for the next call, until [`awake_or_not`] says so at most, while the host is heard: what it asks is answered. What is to be ready for
    /// that call is started meanwhile. `None` where nobody came, or the host is gone.
    pub(super) fn wait(
        &self,
        ssh: &mut Ssh2,
        ahead: &mut Ahead,
        until: Duration,
    ) -> io::Result<Option<Line>> {
        loop {
            ahead.start(ssh)?;
            let left = until.saturating_sub(awake_or_not());
            if left.is_zero() {
                return Ok(None);
            }
            let (here, there, ended) = ssh.link().with_socket(|socket| {
                let others = [self.listener.as_fd(), socket].into_iter().chain(ahead.caller());
                let mut fds: Vec<_> = others.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
                poll_all(&mut fds, left)?;
                let is_ready = |at: usize| fds.get(at).is_some_and(|fd| !fd.revents().is_empty());
                io::Result::Ok((is_ready(0), is_ready(1), is_ready(2)))
            })?;
            if there {
                ahead.tend(ssh)?;
            }
            if ended {
                ahead.caller_has_ended();
            }
            // After a sleep whoever comes may be there before it is noticed that the time is over.
            if here && awake_or_not() < until {
                match self.listener.accept() {
                    Ok((stream, _)) if is_ours(&stream) => return Line::new(stream).map(Some),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Another connection to the same host may have taken the name.
        if symlink_metadata(&self.path).is_ok_and(|meta| meta.ino() == self.inode) {
            // A socket that is left is one at which nobody answers.
            let _ = remove_file(&self.path);
        }
    }
}
