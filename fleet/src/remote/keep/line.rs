//! Frames on a local socket that does not block: a byte for the kind, four for the length, the high one first, then so many bytes. Who waits for
//! what is for both sides to say.

use crate::remote::ssh2_link::wait_for;
use rustix::event::PollFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Most bytes of a frame.
const LONGEST: usize = 1 << 20;
/// Bytes that are read at once, and the most of a command that one frame has.
pub(super) const PIECE: usize = 64 << 10;
const HEAD: usize = 5;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A message in JSON.
    Words(Vec<u8>),
    /// Bytes to the command's standard input, or from its standard output.
    Bytes(Vec<u8>),
    /// Bytes from its standard error.
    Errors(Vec<u8>),
}

/// One end of it.
pub(super) struct Line {
    stream: UnixStream,
    held: Vec<u8>,
    unsent: Vec<u8>,
    over: bool,
}

impl Line {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, held: Vec::new(), unsent: Vec::new(), over: false })
    }

    /// True where the other end has ended, and all that it sent was taken.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// The next frame that is there, without waiting.
    pub(super) fn take(&mut self) -> io::Result<Option<Frame>> {
        let mut buffer = [0; PIECE];
        loop {
            if let Some(frame) = self.frame()? {
                return Ok(Some(frame));
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    self.over = true;
                    return Ok(None);
                }
                Ok(count) => self.held.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Whoever was killed with something unread resets it.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    self.over = true;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn frame(&mut self) -> io::Result<Option<Frame>> {
        let Some((head, rest)) = self.held.split_first_chunk::<HEAD>() else { return Ok(None) };
        let [kind, length @ ..] = *head;
        let length = u32::from_be_bytes(length) as usize;
        if length > LONGEST {
            return Err(io::Error::new(ErrorKind::InvalidData, "a frame is too long"));
        }
        let Some(bytes) = rest.get(..length).map(<[u8]>::to_vec) else { return Ok(None) };
        self.held.drain(..HEAD + length);
        match kind {
            b'w' => Ok(Some(Frame::Words(bytes))),
            b'b' => Ok(Some(Frame::Bytes(bytes))),
            b'e' => Ok(Some(Frame::Errors(bytes))),
            _ => Err(io::Error::new(ErrorKind::InvalidData, "a frame of an unknown kind")),
        }
    }

    /// Puts a frame behind what is not sent yet.
    pub(super) fn queue(&mut self, frame: &Frame) {
        let (kind, bytes) = match frame {
            Frame::Words(bytes) => (b'w', bytes),
            Frame::Bytes(bytes) => (b'b', bytes),
            Frame::Errors(bytes) => (b'e', bytes),
        };
        let length = u32::try_from(bytes.len()).expect("frames are made of pieces, and of short messages");
        self.unsent.push(kind);
        self.unsent.extend_from_slice(&length.to_be_bytes());
        self.unsent.extend_from_slice(bytes);
    }

    /// Sends what goes without waiting. True where nothing is left.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Sends a frame and all before it, within `limit` without a byte that goes.
    pub(super) fn send(&mut self, frame: &Frame, limit: Duration) -> io::Result<()> {
        self.queue(frame);
        let mut left = self.unsent.len() + 1;
        while !self.flush()? {
            if self.unsent.len() == left {
                return Err(ErrorKind::TimedOut.into());
            }
            left = self.unsent.len();
            self.wait(PollFlags::OUT, limit)?;
        }
        Ok(())
    }

    /// Sends a message.
    pub(super) fn say(&mut self, message: &impl Serialize, limit: Duration) -> io::Result<()> {
        self.send(&Frame::Words(serde_json::to_vec(message)?), limit)
    }

    /// The next message, within `limit`; `None` where the other end has ended. Bytes that come before it are nobody's.
    pub(super) fn hear<T: DeserializeOwned>(&mut self, limit: Duration) -> io::Result<Option<T>> {
        let until = Instant::now() + limit;
        loop {
            match self.take()? {
                Some(Frame::Words(words)) => return Ok(Some(serde_json::from_slice(&words)?)),
                Some(Frame::Bytes(_) | Frame::Errors(_)) => {}
                None if self.over => return Ok(None),
                None => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(ErrorKind::TimedOut.into());
                    }
                    self.wait(PollFlags::IN, left)?;
                }
            }
        }
    }

    /// Says that nothing more comes, and waits for the other end to end as well, `limit` at most.
    ///
    /// # Errors
    /// Where that cannot be waited for; this end has ended all the same.
    pub(super) fn part(&mut self, limit: Duration) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        let until = Instant::now() + limit;
        while !self.over && Instant::now() < until {
            if self.take()?.is_none() && !self.over {
                self.wait(PollFlags::IN, until.saturating_duration_since(Instant::now()))?;
            }
        }
        Ok(())
    }

    /// Waits for any of `events`.
    pub(super) fn wait(&self, events: PollFlags, limit: Duration) -> io::Result<()> {
        wait_for(self.stream.as_fd(), events, limit).map(drop)
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, Line, PIECE};
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    fn lines() -> (Line, UnixStream) {
        let (one, other) = UnixStream::pair().unwrap();
        (Line::new(one).unwrap(), other)
    }

    #[test]
    fn what_is_sent_comes_in_order_and_then_the_end() {
        let (mut line, other) = lines();
        let mut there = Line::new(other).unwrap();
        let sent = [Frame::Bytes(vec![7; PIECE]), Frame::Errors(Vec::new()), Frame::Words(b"\"x\"".to_vec())];
        for frame in &sent {
            line.send(frame, Duration::from_secs(5)).unwrap();
            assert_eq!(there.take().unwrap().as_ref(), Some(frame));
        }
        assert_eq!((there.take().unwrap(), there.is_over()), (None, false));
        drop(line);
        assert_eq!((there.take().unwrap(), there.is_over()), (None, true));
    }

    #[test]
    fn nonsense_is_an_error_and_half_a_frame_is_nothing() {
        for (bytes, is_fine) in [(&b"b\0\0\0\x02x"[..], true), (b"b\xff\0\0\0", false), (b"?\0\0\0\0", false)]
        {
            let (mut line, mut other) = lines();
            other.write_all(bytes).unwrap();
            assert_eq!(line.take().map_err(drop), if is_fine { Ok(None) } else { Err(()) }, "{bytes:?}");
        }
    }

    #[test]
    fn who_takes_nothing_is_not_waited_for_without_an_end() {
        let (mut line, _other) = lines();
        let limit = Duration::from_millis(20);
        let sent = (0..100).try_for_each(|_| line.send(&Frame::Bytes(vec![0; PIECE]), limit));
        assert_eq!(sent.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
        assert!(line.hear::<String>(limit).is_err());
    }
}
