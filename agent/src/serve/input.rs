//! What comes from the controller, up to a moment of our own: what comes after it is left for who reads next.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

/// A stream that ends when what was made with it is dropped.
pub struct Input {
    from: File,
    held: OwnedFd,
}

impl Input {
    /// The stream, and what it ends with: no byte is taken from `from` that comes after that is dropped.
    ///
    /// # Errors
    /// The system gives no pipe.
    pub fn new(from: File) -> io::Result<(Self, OwnedFd)> {
        let (held, hold) = pipe_with(PipeFlags::CLOEXEC)?;
        Ok((Self { from, held }, hold))
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut fds = [PollFd::new(&self.held, PollFlags::IN), PollFd::new(&self.from, PollFlags::IN)];
            match poll(&mut fds, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            let [held, from] = fds.map(|fd| !fd.revents().is_empty());
            if held {
                return Ok(0);
            }
            if from {
                return self.from.read(buffer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Input;
    use rustix::pipe::pipe;
    use std::fs::File;
    use std::io::{Read as _, Write as _};

    #[test]
    fn what_comes_after_its_end_is_left() {
        let (from, to) = pipe().unwrap();
        let (mut next, mut to) = (File::from(from.try_clone().unwrap()), File::from(to));
        let (mut input, hold) = Input::new(File::from(from)).unwrap();
        let mut buffer = [0; 10];
        to.write_all(b"first").unwrap();
        assert_eq!(input.read(&mut buffer).unwrap(), 5);
        to.write_all(b"next").unwrap();
        drop(hold);
        assert_eq!(input.read(&mut buffer).unwrap(), 0);
        assert_eq!((next.read(&mut buffer).unwrap(), &buffer[..4]), (4, &b"next"[..]));
    }
}
