//! The process that keeps connections: started by a call, apart from it, with a socket to it for its standard input. While the call lives it is sent
//! a socket for each host; when all that it keeps has ended, so does it. It has no terminal, asks nobody and prints nothing.

use super::line::Line;
use super::place::{Place, is_ours};
use super::session::keep;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::ffi::OsString;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;

/// The hidden command by which it is started.
pub(super) const WORD: &str = "keep-connections";

/// A process that was started to keep connections.
pub struct Keeper {
    dir: PathBuf,
}

impl Keeper {
    /// What a command line (with the program's name) asks for. To be asked first in `main`.
    pub fn of(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let words: Vec<OsString> = arguments.into_iter().skip(1).take(3).collect();
        match &words[..] {
            [word, dir] if word == WORD && Path::new(dir).is_absolute() => Some(Self { dir: dir.into() }),
            _ => None,
        }
    }

    /// Keeps connections until there are none left: apart from whoever started it, with nothing open that was theirs.
    ///
    /// # Errors
    /// What could not be done; nobody hears it.
    pub fn play(self) -> io::Result<()> {
        rustix::process::setsid()?;
        #[cfg(target_os = "linux")]
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
        close_others()?;
        rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o077));
        rustix::process::chdir("/")?;
        Self::run(self.dir)
    }

    /// The same without leaving the place among processes, for tests.
    ///
    /// # Errors
    /// Standard input is no socket of ours.
    pub fn run(dir: PathBuf) -> io::Result<()> {
        let leash = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        leash.set_nonblocking(false)?;
        let place = Place(dir);
        let mut sessions = Vec::new();
        while let Some(stream) = next(&leash)? {
            let place = place.clone();
            if !is_ours(&stream) {
                continue;
            }
            let session = move || Line::new(stream).and_then(|line| keep(line, &place));
            sessions.push(thread::Builder::new().name("kept".to_owned()).spawn(session)?);
        }
        for session in sessions {
            // What went wrong with one has been told to its call.
            let _ = session.join();
        }
        Ok(())
    }
}

/// The next socket that the call sends; `None` when it has ended.
fn next(leash: &UnixStream) -> io::Result<Option<UnixStream>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    #[cfg(target_os = "linux")]
    let flags = RecvFlags::CMSG_CLOEXEC;
    #[cfg(not(target_os = "linux"))]
    let flags = RecvFlags::empty();
    let received = recvmsg(leash, &mut [IoSliceMut::new(&mut byte)], &mut control, flags)?;
    if received.bytes == 0 {
        return Ok(None);
    }
    let sockets = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(sockets) => Some(sockets.collect::<Vec<OwnedFd>>()),
        _ => None,
    });
    let socket = sockets.flatten().next();
    socket.map(|socket| Some(socket.into())).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Closes what came along with the program: a lock that a shell holds through a descriptor must not be held on here.
fn close_others() -> io::Result<()> {
    let open: Vec<RawFd> = std::fs::read_dir("/dev/fd")?
        .map(|entry| Ok(entry?.file_name().to_str().and_then(|name| name.parse().ok())))
        .collect::<io::Result<Vec<Option<RawFd>>>>()?
        .into_iter()
        .flatten()
        .collect();
    for descriptor in open.into_iter().filter(|descriptor| *descriptor > 2) {
        match nix::unistd::close(descriptor) {
            // That of the list itself is closed already.
            Ok(()) | Err(nix::errno::Errno::EBADF) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Keeper;
    use std::ffi::OsString;

    #[test]
    fn only_its_own_command_line_starts_one() {
        let of = |words: &[&str]| Keeper::of(words.iter().map(OsString::from)).is_some();
        assert!(of(&["keel", "keep-connections", "/run/user/0/evenkeel"]));
        for words in
            [&["keel", "plan"][..], &["keel", "keep-connections"], &["keel", "keep-connections", "x"]]
        {
            assert!(!of(words), "{words:?}");
        }
    }
}
