//! What a connection has ready for the next call: the last call's own command, where that stays, or else one that the call has left, which is started
//! once that call's process has ended, so that nothing of it is in the way of what that process does elsewhere. There is one at most. Whatever is wrong
//! with it, it is not there.

use super::line::Line;
use super::words::There;
use crate::remote::pipe::Pipe as _;
use crate::remote::spare::Spare;
use crate::remote::ssh2_pipe::Ssh2Pipe;
use crate::remote::ssh2_remote::Ssh2;
use crate::trouble::Trouble;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a host may take to start it. A call that comes meanwhile waits.
const STARTING: Duration = Duration::from_millis(2500);

/// How long it may take to end.
const PARTING: Duration = Duration::from_secs(1);

/// The time between two tries to have a channel.
const NAP: Duration = Duration::from_millis(20);

/// Of one connection.
#[derive(Default)]
pub(super) struct Ahead {
    /// What the call has left, to be started.
    left: Option<Spare>,
    /// The process of the call, until it has ended.
    caller: Option<OwnedFd>,
    /// What runs.
    running: Option<Running>,
    /// True where the host allows one command at a time.
    is_cramped: bool,
}

/// What waits for its first word.
struct Running {
    spare: Spare,
    pipe: Box<Ssh2Pipe>,
    /// True where it was a call's own command: it has said its lines, and says nothing before it is asked.
    has_stayed: bool,
}

impl Running {
    /// Whether it can be asked.
    fn is_well(&mut self) -> bool {
        matches!(self.pipe.tend(), Ok(true)) && !(self.has_stayed && self.pipe.has_early())
    }
}

impl Ahead {
    /// To be started when the call has ended, in place of what it has left before.
    pub(super) fn leave(&mut self, spare: Spare) {
        self.left = Some(spare);
    }

    /// The call's own command is for the next call, in place of what it has left; unless that does not hold here: it is given back then.
    pub(super) fn stays(&mut self, pipe: Box<Ssh2Pipe>) -> Option<Box<Ssh2Pipe>> {
        match &self.left {
            Some(spare) if !self.is_cramped => {
                self.running = Some(Running { spare: spare.clone(), pipe, has_stayed: true });
                None
            }
            _ => Some(pipe),
        }
    }

    /// The call at the other end of `line` has ended, or will have in a moment.
    pub(super) fn waits_for(&mut self, line: &Line) {
        self.caller = caller(line);
    }

    /// What there is to wait for before it is started.
    pub(super) fn caller(&self) -> Option<BorrowedFd<'_>> {
        self.caller.as_ref().map(|caller| caller.as_fd())
    }

    /// The process of the call has ended.
    pub(super) fn caller_has_ended(&mut self) {
        self.caller = None;
    }

    /// Starts what was left, when it is time, and nothing has stayed.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub(super) fn start(&mut self, ssh: &mut Ssh2) -> io::Result<()> {
        let Some(spare) = self.left.take_if(|_| self.caller.is_none() && self.running.is_none()) else {
            return Ok(());
        };
        if self.is_cramped {
            return Ok(());
        }
        match ssh.start_within(&spare.command, STARTING) {
            Ok(pipe) => self.running = Some(Running { spare, pipe: Box::new(pipe), has_stayed: false }),
            // It may be in use to its limits, or let nobody in any more: the next call will tell.
            Err(Trouble::Elevation(_)) => {}
            Err(_) => return Err(io::ErrorKind::ConnectionAborted.into()),
        }
        Ok(())
    }

    /// Hears the host while nobody calls.
    ///
    /// # Errors
    /// The connection has ended.
    pub(super) fn tend(&mut self, ssh: &mut Ssh2) -> io::Result<()> {
        let Some(running) = &mut self.running else { return ssh.tend() };
        ssh.has_ended()?;
        if !running.pipe.tend().map_err(|_| io::ErrorKind::ConnectionAborted)? {
            self.running = None;
        }
        Ok(())
    }

    /// A call has come. Whether the host shows within `limit` that it is there, by opening a channel; what runs is sent its first word on the way.
    pub(super) fn wake(&mut self, ssh: &mut Ssh2, limit: Duration) -> bool {
        (self.left, self.caller) = (None, None);
        self.running.take_if(|running| !running.is_well() || running.pipe.send(&running.spare.word).is_err());
        match ssh.open_next(limit) {
            Ok(()) => true,
            // It has answered, though not so: where sshd has MaxSessions 1 there is no place for both.
            Err(Trouble::Lost { .. }) if self.running.is_some() => {
                self.is_cramped = true;
                let ended =
                    self.running.take().is_some_and(|mut running| running.pipe.finish(PARTING).is_ok());
                ended && makes_room(ssh, limit)
            }
            Err(_) => false,
        }
    }

    /// What runs.
    pub(super) fn there(&self) -> Option<There> {
        self.running.as_ref().map(|Running { spare, has_stayed, .. }| There {
            label: spare.label.clone(),
            nonce: (!has_stayed).then(|| spare.nonce.clone()),
        })
    }

    /// What runs, for the call. Another command than that ends it as well.
    pub(super) fn take(&mut self) -> Option<Box<Ssh2Pipe>> {
        self.running.take().map(|running| running.pipe)
    }
}

/// Whether the host opens a channel, now that a command has ended: sshd may count that one for a moment still.
fn makes_room(ssh: &mut Ssh2, limit: Duration) -> bool {
    let until = Instant::now() + PARTING;
    loop {
        match ssh.open_next(limit) {
            Ok(()) => return true,
            Err(Trouble::Lost { .. }) if Instant::now() < until => sleep(NAP),
            Err(_) => return false,
        }
    }
}

/// The process at the other end; `None` where it has ended, or the system does not say.
fn caller(line: &Line) -> Option<OwnedFd> {
    #[cfg(target_os = "linux")]
    {
        let peer = rustix::net::sockopt::socket_peercred(line).ok()?;
        rustix::process::pidfd_open(peer.pid, rustix::process::PidfdFlags::empty()).ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _: &Line = line;
        None
    }
}
