//! Bytes through one channel of a session, as far as they go without waiting, and what there is to wait for when they do not.
//!
//! libssh2 needs care here. A packet that went out in part can only be completed by the call that began it, and meanwhile everything else that
//! would send says "again", also a read that wants to widen its window; then waiting for input would spin. A read takes all that is on
//! the socket into a queue, the other stream's bytes as well; then waiting on the socket would miss them.

use super::ssh2_link::{Link, now};
use rustix::event::PollFlags;
use ssh2::{BlockDirections, Channel};
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

/// How much the host may send before we have read it.
pub(super) const WINDOW: u32 = 1 << 20;
/// The largest packet that it may send, and the most that is read at once.
pub(super) const CHUNK: usize = 32 << 10;

/// A channel and its connection.
pub(super) struct Flow {
    // Dropped first: its session has to be there.
    channel: Channel,
    link: Arc<Link>,
    /// How the connection has ended.
    end: Option<String>,
}

/// The streams of a channel that a host writes to.
#[derive(Clone, Copy)]
pub(super) enum Stream {
    Out,
    Errors,
}

impl Flow {
    pub(super) fn new(channel: Channel, link: Arc<Link>) -> Self {
        Self { channel, link, end: None }
    }

    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// What has come on that stream; `None` where nothing has. Also when the connection has ended, all that came before that is read first.
    pub(super) fn read(&mut self, stream: Stream, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let id = match stream {
            Stream::Out => 0,
            Stream::Errors => 1,
        };
        let length = buffer.len().min(CHUNK);
        let mut from = self.channel.stream(id);
        let mut read = now(from.read(&mut buffer[..length]));
        if let Err(error) = read {
            self.link.sever()?;
            self.end = Some(error.to_string());
            read = now(from.read(&mut buffer[..length]));
        }
        // libssh2 says 0 as well where it has nothing; the end is `is_over`.
        match read?.filter(|count| *count > 0) {
            None if !self.has_unread() && !self.is_over() => self.still_there().map(|()| None),
            count => Ok(count),
        }
    }

    /// Sends the start of `bytes`; `None` where nothing of it goes. The next call has to be with the same bytes then.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        self.still_there()?;
        Ok(now(self.channel.stream(0).write(bytes))?.filter(|count| *count > 0))
    }

    /// Errors with how the connection has ended, where it has.
    pub(super) fn still_there(&self) -> io::Result<()> {
        self.end.as_ref().map_or(Ok(()), |end| Err(io::Error::other(end.clone())))
    }

    /// The host has said all it has to say, and we have read it.
    pub(super) fn is_over(&self) -> bool {
        self.channel.eof()
    }

    /// Something has been taken off the socket that nobody has read yet.
    pub(super) fn has_unread(&self) -> bool {
        self.channel.read_window().available > 0
    }

    /// What to wait for on the socket when neither reading nor writing goes on.
    pub(super) fn wanted(&self) -> PollFlags {
        let narrow = self.channel.read_window().remaining < WINDOW / 4 * 3 + CHUNK as u32;
        match self.link.session().block_directions() {
            BlockDirections::Both if narrow => PollFlags::OUT,
            _ => self.link.wanted(),
        }
    }
}
