//! One SSH session of libssh2 on one socket, never blocking: whoever has to wait, waits in `poll(2)`, with an end.
//! What is said on it is for the modules that use it.

use super::ssh2_jump::Hop;
use crate::trouble::{Stage, Trouble};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::Shutdown;
use ssh2::{BlockDirections, ErrorCode, Session};
use std::fmt::Display;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// `LIBSSH2_ERROR_EAGAIN`.
pub(super) const AGAIN: ErrorCode = ErrorCode::Session(-37);

/// A session, and the socket it is on. The connection ends with it.
pub(super) struct Link {
    session: Session,
    slot: Arc<Slot>,
    /// The other end of what is in the slot while no host is.
    near: Mutex<UnixStream>,
    /// The host that this connection goes through.
    hop: Option<Arc<Hop>>,
}

/// Why something did not come to pass.
pub(super) enum Stop {
    /// The time was over.
    Late,
    /// libssh2's words.
    Failed(ssh2::Error),
}

impl Link {
    /// A session that talks to itself: no host is there yet.
    pub(super) fn new(hop: Option<Arc<Hop>>) -> Result<Self, Trouble> {
        let here = |error: &dyn Display| Trouble::Here(format!("no SSH session can be made: {error}"));
        let (inside, near) = pair().map_err(|error| here(&error))?;
        let mut session = Session::new().map_err(|error| here(&error))?;
        session.set_blocking(false);
        let slot = Arc::new(Slot(Mutex::new(inside.into())));
        session.set_tcp_stream(slot.clone());
        Ok(Self { session, slot, near: Mutex::new(near), hop })
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// What libssh2 sends to while no host is there, and receives from.
    pub(super) fn near(&self) -> MutexGuard<'_, UnixStream> {
        self.near.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the session talks to the host behind `socket`, which does not block.
    pub(super) fn attach(&self, socket: OwnedFd) -> io::Result<()> {
        self.slot.put(&socket)
    }

    /// From now on nothing comes from the host or goes to it. What has come can still be read: libssh2 keeps it back while there is an error
    /// to tell.
    pub(super) fn sever(&self) -> io::Result<()> {
        let (inside, near) = pair()?;
        self.slot.put(&inside.into())?;
        *self.near() = near;
        Ok(())
    }

    /// Does something with the socket.
    pub(super) fn with_socket<T>(&self, act: impl FnOnce(BorrowedFd<'_>) -> T) -> T {
        act(self.slot.held().as_fd())
    }

    /// Does `act` until libssh2 has what it wants from the network, `limit` at most.
    pub(super) fn until<T>(
        &self,
        limit: Duration,
        mut act: impl FnMut() -> Result<T, ssh2::Error>,
    ) -> Result<T, Stop> {
        let end = Instant::now() + limit;
        loop {
            match act() {
                Err(error) if error.code() == AGAIN => {}
                Err(error) => return Err(Stop::Failed(error)),
                Ok(value) => return Ok(value),
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Stop::Late);
            }
            self.poll(self.wanted(), left).map_err(failed)?;
        }
    }

    /// What libssh2 waits for on the socket.
    pub(super) fn wanted(&self) -> PollFlags {
        match self.session.block_directions() {
            BlockDirections::Outbound => PollFlags::OUT,
            BlockDirections::Both => PollFlags::IN | PollFlags::OUT,
            BlockDirections::Inbound | BlockDirections::None => PollFlags::IN,
        }
    }

    /// Waits for any of `events`, `limit` at most. What there is; nothing where the time is over or a signal came.
    pub(super) fn poll(&self, events: PollFlags, limit: Duration) -> io::Result<PollFlags> {
        self.with_socket(|socket| wait_for(socket, events, limit))
    }

    /// The same, and for something to come on `other`; true where it has.
    pub(super) fn poll_beside(
        &self,
        events: PollFlags,
        other: BorrowedFd<'_>,
        limit: Duration,
    ) -> io::Result<(PollFlags, bool)> {
        self.with_socket(|socket| {
            let mut fds =
                [PollFd::from_borrowed_fd(socket, events), PollFd::from_borrowed_fd(other, PollFlags::IN)];
            poll_all(&mut fds, limit)?;
            Ok((fds[0].revents(), !fds[1].revents().is_empty()))
        })
    }

    /// The connection is no more. Where it goes through another host, that one may be why.
    pub(super) fn lost(&self, stage: Stage, because: &dyn Display) -> Trouble {
        let through = self.hop.as_ref().and_then(|hop| hop.end());
        Trouble::Lost { stage, because: through.unwrap_or_else(|| plain(&because.to_string())) }
    }

    /// The host on the way is why nothing comes any more.
    pub(super) fn hop_has_ended(&self) -> bool {
        self.hop.as_ref().is_some_and(|hop| hop.end().is_some())
    }

    /// What `stop` means at this stage.
    pub(super) fn trouble(&self, stage: Stage, limit: Duration, stop: &Stop) -> Trouble {
        match stop {
            Stop::Late => Trouble::Timeout { stage, limit, setting: "" },
            Stop::Failed(error) => self.lost(stage, &error.message()),
        }
    }
}

/// Says goodbye where that is possible at once, and ends the connection. Without that libssh2 would wait for answers, or never free what it has.
impl Drop for Link {
    fn drop(&mut self) {
        // The other end learns the same from the end of the connection.
        let _ = self.session.disconnect(None, "done", None);
        let _ = self.with_socket(|socket| rustix::net::shutdown(socket, Shutdown::Both));
    }
}

/// The number of a descriptor, which is all that libssh2 knows of its socket. What is behind it is ours to change.
struct Slot(Mutex<OwnedFd>);

impl Slot {
    fn held(&self) -> MutexGuard<'_, OwnedFd> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, socket: &OwnedFd) -> io::Result<()> {
        let mut held = self.held();
        #[cfg(target_os = "linux")]
        rustix::io::dup3(socket, &mut held, rustix::io::DupFlags::CLOEXEC)?;
        #[cfg(not(target_os = "linux"))]
        {
            rustix::io::dup2(socket, &mut held)?;
            rustix::io::fcntl_setfd(&*held, rustix::io::FdFlags::CLOEXEC)?;
        }
        Ok(())
    }
}

impl AsRawFd for Slot {
    fn as_raw_fd(&self) -> RawFd {
        self.held().as_raw_fd()
    }
}

/// Two sockets that talk to each other and do not block.
pub(super) fn pair() -> io::Result<(UnixStream, UnixStream)> {
    let (one, other) = UnixStream::pair()?;
    one.set_nonblocking(true)?;
    other.set_nonblocking(true)?;
    Ok((one, other))
}

/// Waits for any of `events` on one socket; see [`poll_all`].
pub(super) fn wait_for(socket: BorrowedFd<'_>, events: PollFlags, limit: Duration) -> io::Result<PollFlags> {
    let mut fds = [PollFd::from_borrowed_fd(socket, events)];
    poll_all(&mut fds, limit)?;
    Ok(fds[0].revents())
}

/// `poll(2)`; a signal is like the end of the time.
pub(super) fn poll_all(fds: &mut [PollFd<'_>], limit: Duration) -> io::Result<()> {
    // No limit at all is a year here.
    let limit = limit.min(Duration::from_secs(365 * 24 * 3600));
    let limit = Timespec { tv_sec: limit.as_secs().cast_signed(), tv_nsec: limit.subsec_nanos().into() };
    match poll(fds, Some(&limit)) {
        Ok(_) => Ok(()),
        Err(Errno::INTR) => {
            fds.iter_mut().for_each(|fd| fd.clear_revents());
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// libssh2 names the function that failed, where all that there is to say is that the connection has ended.
fn plain(because: &str) -> String {
    let ended = [
        "transport read",
        "Failure while draining incoming flow",
        "Unable to send channel data",
        "would block",
    ];
    let ended = ended.contains(&because) || because.starts_with("Waiting for ");
    if ended { "the other end has closed it".to_owned() } else { because.to_owned() }
}

/// `None` where it would have to wait.
pub(super) fn now(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

fn failed(_: io::Error) -> Stop {
    Stop::Failed(ssh2::Error::new(ErrorCode::Session(-45), "poll(2) failed"))
}
