//! Starts the process that keeps connections, once for each call, and sends it a socket for each host. Where that does not work there is none, and
//! connections are made as if nothing were kept.

use super::keeper::WORD;
use super::line::Line;
use super::place::Keep;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::PoisonError;

impl Keep {
    /// A line to the process of this call, for one host. `None` where there is no such process.
    pub(super) fn line(&self) -> Option<Line> {
        let mut leash = self.leash.lock().unwrap_or_else(PoisonError::into_inner);
        let leash = leash.get_or_insert_with(|| self.start().ok());
        let (here, there) = UnixStream::pair().ok()?;
        send(leash.as_ref()?, &there).ok()?;
        Line::new(here).ok()
    }

    fn start(&self) -> io::Result<UnixStream> {
        let (here, there) = UnixStream::pair()?;
        let (program, arguments) = self.program.split_first().ok_or(io::ErrorKind::NotFound)?;
        #[expect(clippy::disallowed_methods, reason = "the program starts itself anew, to keep connections")]
        let mut command = Command::new(program);
        command.args(arguments).arg(WORD).arg(&self.place.0);
        // Nothing of the calls' surroundings is for it: no agent's socket, no secret that somebody put there.
        command
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(there)))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // It is nobody's child when this call has ended, which is soon.
        command.spawn()?;
        Ok(here)
    }
}

fn send(leash: &UnixStream, socket: &UnixStream) -> io::Result<()> {
    let sockets = [socket.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&sockets)) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    sendmsg(leash, &[IoSlice::new(b"+")], &mut control, SendFlags::empty())?;
    Ok(())
}
