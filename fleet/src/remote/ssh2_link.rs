//! One SSH session of libssh2 on one socket, never blocking: whoever has to wait, waits in `poll(2)`, with an end.
//! What is said on it is for the modules that use it.

use super::ssh2_jump::Hop;
use crate::trouble::{Stage, Trouble};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::Shutdown;
use ssh2::{BlockDirections, ErrorCode, Session};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// `LIBSSH2_ERROR_EAGAIN`.
const AGAIN: ErrorCode = ErrorCode::Session(-37);

/// A session, and the socket it is on. The connection ends with it.
pub(super) struct Link {
    session: Session,
    socket: Arc<OwnedFd>,
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
    /// A session that has said nothing yet.
    pub(super) fn new(socket: OwnedFd, hop: Option<Arc<Hop>>) -> Result<Self, Trouble> {
        let here =
            |error: &dyn std::fmt::Display| Trouble::Here(format!("no SSH session can be made: {error}"));
        rustix::io::ioctl_fionbio(&socket, true).map_err(|error| here(&error))?;
        let mut session = Session::new().map_err(|error| here(&error))?;
        session.set_blocking(false);
        let socket = Arc::new(socket);
        session.set_tcp_stream(socket.clone());
        Ok(Self { session, socket, hop })
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) fn socket(&self) -> &OwnedFd {
        &self.socket
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
        let mut fds = [PollFd::new(&*self.socket, events)];
        poll_all(&mut fds, limit)?;
        Ok(fds[0].revents())
    }

    /// The connection is no more. Where it goes through another host, that one may be why.
    pub(super) fn lost(&self, stage: Stage, because: &dyn std::fmt::Display) -> Trouble {
        let through = self.hop.as_ref().and_then(|hop| hop.end());
        Trouble::Lost { stage, because: through.unwrap_or_else(|| because.to_string()) }
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
        let _ = rustix::net::shutdown(&*self.socket, Shutdown::Both);
    }
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
