//! `ProxyJump`: a channel of one host's session carries the connection to the next. A thread moves its bytes between the channel and a pair of
//! sockets, so that the next session has a socket like any other. It ends with that session, and its own connection with it.

use super::ssh2_flow::{CHUNK, Flow, Stream};
use super::ssh2_link::{Link, Stop, now, pair, poll_all};
use crate::endpoint::Endpoint;
use crate::trouble::{Stage, Trouble};
use rustix::event::{PollFd, PollFlags};
use ssh2::ErrorCode;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

/// `LIBSSH2_ERROR_CHANNEL_FAILURE`: the host on the way does not open the connection.
const NOT_OPENED: ErrorCode = ErrorCode::Session(-21);

/// A host on the way, as those behind it know it.
pub(super) struct Hop {
    name: String,
    /// Why the connection through it has ended, where it was not for either end.
    because: OnceLock<String>,
}

impl Hop {
    /// Why the connection through it has ended, if it was for that host.
    pub(super) fn end(&self) -> Option<String> {
        self.because.get().map(|because| format!("through {}: {because}", self.name))
    }
}

/// A socket to `next` through the host at the other end of `link`.
///
/// # Errors
/// The host on the way says no, or cannot reach it; `Trouble::Through`.
pub(super) fn through(link: Link, hop: &Endpoint, next: &Endpoint) -> Result<(OwnedFd, Arc<Hop>), Trouble> {
    let name = hop.alias.clone();
    let wrapped = |trouble| Trouble::Through { hop: name.clone(), trouble: Box::new(trouble) };
    let open = || link.session().channel_direct_tcpip(&next.host, next.port, None);
    let channel =
        link.until(next.connect_timeout, open).map_err(|stop| wrapped(not_opened(&link, next, &stop)))?;
    let (ours, theirs) =
        pair().map_err(|error| Trouble::Here(format!("no pair of sockets can be made: {error}")))?;
    let known = Arc::new(Hop { name: name.clone(), because: OnceLock::new() });
    let pump = Pump {
        flow: Flow::new(channel, Arc::new(link)),
        pair: ours,
        up: Pending::new(),
        down: Pending::new(),
    };
    let told = known.clone();
    let carry = move || pump.run(&told);
    let started = thread::Builder::new().name(format!("jump {name}")).spawn(carry);
    started.map_err(|error| Trouble::Here(format!("no thread can be started: {error}")))?;
    Ok((theirs.into(), known))
}

fn not_opened(link: &Link, next: &Endpoint, stop: &Stop) -> Trouble {
    match stop {
        Stop::Late => Trouble::Timeout {
            stage: Stage::Connect,
            limit: next.connect_timeout,
            setting: " (ConnectTimeout)",
        },
        Stop::Failed(error) if error.code() == NOT_OPENED => {
            let because = error.message().trim_start_matches("Channel open failure (").trim_end_matches(')');
            let address = format!("{}:{}", next.host, next.port);
            Trouble::NoRoute { address, because: because.to_owned() }
        }
        Stop::Failed(error) => link.lost(Stage::Connect, &error.message()),
    }
}

/// Bytes on their way.
struct Pending {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Pending {
    fn new() -> Self {
        Self { buffer: vec![0; CHUNK], start: 0, end: 0 }
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn filled(&mut self, count: usize) {
        (self.start, self.end) = (0, count);
    }
}

/// Moves bytes both ways.
struct Pump {
    flow: Flow,
    pair: UnixStream,
    /// To the host.
    up: Pending,
    /// From it.
    down: Pending,
}

/// How one step went.
enum Step {
    Moved,
    Still,
    /// One end has ended the connection.
    Over,
}

impl Pump {
    fn run(mut self, hop: &Hop) {
        let end = loop {
            match self.step() {
                Ok(Step::Moved) => {}
                Ok(Step::Over) => break Ok(()),
                Ok(Step::Still) => match self.wait() {
                    Ok(true) => {}
                    Ok(false) => break Ok(()),
                    Err(error) => break Err(error),
                },
                Err(error) => break Err(error),
            }
        };
        if let Err(error) = end {
            // Whoever sees the end of the connection finds the reason here. It is set once.
            let _ = hop.because.set(self.flow.link().lost(Stage::Connect, &error).to_string());
        }
        // It may be at its end already.
        let _ = self.pair.shutdown(Shutdown::Both);
    }

    fn step(&mut self) -> io::Result<Step> {
        let mut moved = false;
        if self.up.is_empty() {
            // An error means that the session behind is gone.
            match now(self.pair.read(&mut self.up.buffer)) {
                Ok(Some(0)) | Err(_) => return Ok(Step::Over),
                Ok(Some(count)) => self.up.filled(count),
                Ok(None) => {}
            }
        }
        if !self.up.is_empty()
            && let Some(count) = self.flow.write(self.up.rest())?
        {
            self.up.start += count;
            moved = true;
        }
        if self.down.is_empty() {
            match self.flow.read(Stream::Out, &mut self.down.buffer)? {
                Some(count) => self.down.filled(count),
                None if self.flow.is_over() => return Ok(Step::Over),
                None => {}
            }
        }
        if !self.down.is_empty() {
            match now(self.pair.write(self.down.rest())) {
                Ok(Some(count)) => {
                    self.down.start += count;
                    moved = true;
                }
                Ok(None) => {}
                Err(_) => return Ok(Step::Over),
            }
        }
        Ok(if moved { Step::Moved } else { Step::Still })
    }

    /// Waits until something can go on. False where the session behind is gone.
    fn wait(&self) -> io::Result<bool> {
        let mut near = PollFlags::empty();
        near.set(PollFlags::IN, self.up.is_empty());
        near.set(PollFlags::OUT, !self.down.is_empty());
        let mut far = self.flow.wanted();
        // A packet that went out in part is all that is waited for, where nothing more can be read.
        if !self.down.is_empty() && far.contains(PollFlags::OUT) {
            far = PollFlags::OUT;
        }
        // While the session behind does not take what has come, nothing else is done with the host, not even with its end; unless there is
        // something to send.
        let watched = if self.up.is_empty() && !self.down.is_empty() { 1 } else { 2 };
        let near = self.flow.link().with_socket(|socket| {
            let mut fds = [PollFd::new(&self.pair, near), PollFd::from_borrowed_fd(socket, far)];
            poll_all(&mut fds[..watched], Duration::MAX).map(|()| fds[0].revents())
        })?;
        let gone = near.intersects(PollFlags::HUP | PollFlags::ERR);
        Ok(near.intersects(PollFlags::IN | PollFlags::OUT) || !gone)
    }
}
