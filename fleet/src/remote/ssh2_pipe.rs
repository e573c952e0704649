//! A command on a host over libssh2, and its streams. While it sends, it reads: neither side can be stuck on the other.

use super::pipe::{Pipe, Received, STALLED};
use super::pulse::{Beat, Pulse};
use super::ssh2_flow::{CHUNK, Flow, Stream};
use super::ssh2_link::{Link, Stop};
use crate::endpoint::Endpoint;
use crate::trouble::{Stage, Trouble};
use rustix::event::PollFlags;
use ssh2::Channel;
use std::collections::VecDeque;
use std::fmt::Display;
use std::io::Read as _;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How much of standard error is kept.
const ERRORS: usize = 64 << 10;
/// How much may come unasked while we are sending.
const EARLY: usize = 64 << 20;
/// How much may come of a command for which nobody waits yet.
const UNHEARD: usize = 128 << 10;

/// A command, and its streams.
pub(super) struct Ssh2Pipe {
    flow: Flow,
    pulse: Pulse,
    /// Standard output that came while we were sending.
    early: VecDeque<u8>,
    /// The tail of standard error; twice as long as it should be at times.
    errors: Vec<u8>,
    scratch: Vec<u8>,
    /// Standard input has ended.
    ended: bool,
    /// The last wait was none, because there was something to read, and nothing has been read since.
    looked_again: bool,
}

impl Pipe for Ssh2Pipe {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let (mut rest, mut moved) = (bytes, Instant::now());
        while !rest.is_empty() {
            let sent = self.flow.write(rest).map_err(|error| self.lost(&error))?;
            if let Some(sent) = sent {
                (rest, moved) = (&rest[sent..], Instant::now());
            } else if self.take_early()? {
                moved = Instant::now();
            } else if self.flow.is_over() {
                return Err(self.lost(&"the command has ended"));
            } else if moved.elapsed() >= STALLED {
                return Err(self.lost(&"the host takes nothing any more"));
            } else {
                self.wait(Some(moved + STALLED), None)?;
            }
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> Result<Received, Trouble> {
        self.listen(buffer, Instant::now() + patience, None)
    }

    fn errors(&self) -> &[u8] {
        &self.errors[self.errors.len().saturating_sub(ERRORS)..]
    }

    fn finish(&mut self, patience: Duration) -> Result<Option<i32>, Trouble> {
        let until = Instant::now() + patience;
        self.end_input(until, patience)?;
        let mut unread = vec![0; CHUNK];
        loop {
            match self.receive(&mut unread, until.saturating_duration_since(Instant::now()))? {
                Received::Bytes(_) => {}
                Received::Nothing => return Err(self.late(patience)),
                Received::End => break,
            }
        }
        let mut channel = self.flow.channel().clone();
        // Where the connection has ended, what came before that is all there will be.
        let ended = self.flow.still_there().is_err();
        let left = if ended { Duration::ZERO } else { until.saturating_duration_since(Instant::now()) };
        self.flow
            .link()
            .until(left, || channel.wait_close())
            .map_err(|stop| self.stopped(&stop, patience))?;
        let signal = channel.exit_signal().map_err(|error| self.lost(&error.message()))?;
        if signal.exit_signal.is_some() {
            return Ok(None);
        }
        channel.exit_status().map(Some).map_err(|error| self.lost(&error.message()))
    }
}

impl Ssh2Pipe {
    /// Of a command that was started on `channel`.
    pub(super) fn new(channel: Channel, link: Arc<Link>, endpoint: &Endpoint) -> Self {
        let pulse = Pulse::new(endpoint, Instant::now());
        // Each time we ask is ours to choose; libssh2 would count for itself otherwise.
        link.session().set_keepalive(true, 1);
        Self {
            flow: Flow::new(channel, link),
            pulse,
            early: VecDeque::new(),
            errors: Vec::new(),
            scratch: vec![0; CHUNK],
            ended: false,
            looked_again: false,
        }
    }

    /// As [`Pipe::receive`], and until something comes on `other` or on standard error as well.
    pub(super) fn receive_beside(
        &mut self,
        buffer: &mut [u8],
        patience: Duration,
        other: BorrowedFd<'_>,
    ) -> Result<Received, Trouble> {
        self.listen(buffer, Instant::now() + patience, Some(other))
    }

    /// Hears the host while nobody waits for this command. False where it has ended, or says so much that nobody wants to hear it.
    ///
    /// # Errors
    /// The connection broke.
    pub(super) fn tend(&mut self) -> Result<bool, Trouble> {
        self.take_early()?;
        self.pulse.heard(Instant::now());
        Ok(!self.flow.is_over() && self.early.len() <= UNHEARD)
    }

    /// Whether something that it has said waits for a reader.
    pub(super) fn has_early(&self) -> bool {
        !self.early.is_empty()
    }

    /// What came on standard error since this was asked last, the tail of it where that is much.
    pub(super) fn take_errors(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.errors)
    }

    fn listen(
        &mut self,
        buffer: &mut [u8],
        until: Instant,
        other: Option<BorrowedFd<'_>>,
    ) -> Result<Received, Trouble> {
        loop {
            if let Some(count) = self.take(buffer)? {
                return Ok(Received::Bytes(count));
            }
            let errors = self.gather()?;
            if self.flow.is_over() {
                return Ok(Received::End);
            }
            if Instant::now() >= until || errors && other.is_some() {
                return Ok(Received::Nothing);
            }
            if !errors && self.wait(Some(until), other)? {
                return Ok(Received::Nothing);
            }
        }
    }

    /// Standard output that is there.
    fn take(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Trouble> {
        if !self.early.is_empty() {
            return self.early.read(buffer).map(Some).map_err(|error| self.lost(&error));
        }
        let read = self.flow.read(Stream::Out, buffer).map_err(|error| self.lost(&error))?;
        self.looked_again &= read.is_none();
        Ok(read)
    }

    /// Reads all that is there while we want to send. True where there was something.
    fn take_early(&mut self) -> Result<bool, Trouble> {
        let mut some = self.gather()?;
        while let Some(count) =
            self.flow.read(Stream::Out, &mut self.scratch).map_err(|error| self.lost(&error))?
        {
            self.looked_again = false;
            self.early.extend(&self.scratch[..count]);
            if self.early.len() > EARLY {
                let because = "it sends without end, and takes nothing".to_owned();
                return Err(Trouble::Protocol { stage: Stage::Elevate, because });
            }
            some = true;
        }
        Ok(some)
    }

    /// Reads some of standard error. True where there was something.
    fn gather(&mut self) -> Result<bool, Trouble> {
        let read = self.flow.read(Stream::Errors, &mut self.scratch).map_err(|error| self.lost(&error))?;
        let Some(count) = read else { return Ok(false) };
        self.looked_again = false;
        if self.errors.len() > 2 * ERRORS {
            self.errors.drain(..self.errors.len() - ERRORS);
        }
        self.errors.extend_from_slice(&self.scratch[..count]);
        Ok(true)
    }

    /// Waits until something can go on, or until then; keeps the connection alive meanwhile. True where something came on `other`.
    fn wait(&mut self, until: Option<Instant>, other: Option<BorrowedFd<'_>>) -> Result<bool, Trouble> {
        // What one read has taken off the socket may be for the other stream. If it is still there after another look, libssh2 keeps it back
        // until it has sent something or changed keys, or it is for no stream at all.
        self.looked_again = self.flow.has_unread() && !self.looked_again;
        if self.looked_again {
            return Ok(false);
        }
        loop {
            let now = Instant::now();
            let rest = match self.pulse.beat(now) {
                Beat::Rest(rest) => rest,
                Beat::Ask => {
                    self.ask()?;
                    continue;
                }
                Beat::Gone(silence) => {
                    let seconds = silence.as_secs();
                    return Err(self.lost(&format!("no sign of life for {seconds} s (ServerAliveInterval)")));
                }
            };
            let left = until.map_or(rest, |until| rest.min(until.saturating_duration_since(now)));
            let wanted = self.flow.wanted();
            let ready = match other {
                Some(other) => self.flow.link().poll_beside(wanted, other, left),
                None => self.flow.link().poll(wanted, left).map(|ready| (ready, false)),
            };
            let (ready, beside) = ready.map_err(|error| self.lost(&error))?;
            if ready.contains(PollFlags::IN) {
                self.pulse.heard(Instant::now());
            }
            if beside || !ready.is_empty() || until.is_some_and(|until| Instant::now() >= until) {
                return Ok(beside);
            }
        }
    }

    /// Asks the host whether it is there. Its answer, which is that it does not know the question, is as good as any.
    fn ask(&mut self) -> Result<(), Trouble> {
        self.pulse.asked(Instant::now());
        if self.may_send_small()? {
            self.flow.link().session().keepalive_send().map_err(|error| self.lost(&error.message()))?;
        }
        Ok(())
    }

    /// libssh2 forgets where a packet of these was that went out in part, and is stuck then: they are sent only where they fit for sure. What
    /// waits to go out already will tell as well whether the host is there.
    fn may_send_small(&self) -> Result<bool, Trouble> {
        let link = self.flow.link();
        if link.wanted().contains(PollFlags::OUT) {
            return Ok(false);
        }
        let ready = link.poll(PollFlags::OUT, Duration::ZERO).map_err(|error| self.lost(&error))?;
        Ok(ready.contains(PollFlags::OUT))
    }

    /// Ends standard input, within `patience`, which is over then.
    pub(super) fn end_input(&mut self, until: Instant, patience: Duration) -> Result<(), Trouble> {
        if self.ended {
            return Ok(());
        }
        while !self.may_send_small()? {
            self.take_early()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.late(patience));
            }
            self.flow.link().poll(PollFlags::OUT, left).map_err(|error| self.lost(&error))?;
        }
        let mut channel = self.flow.channel().clone();
        self.flow
            .link()
            .until(patience, || channel.send_eof())
            .map_err(|stop| self.stopped(&stop, patience))?;
        self.ended = true;
        Ok(())
    }

    fn stopped(&self, stop: &Stop, patience: Duration) -> Trouble {
        match stop {
            Stop::Late => match self.flow.still_there() {
                Ok(()) => self.late(patience),
                Err(error) => self.lost(&error),
            },
            Stop::Failed(error) => self.lost(&error.message()),
        }
    }

    fn lost(&self, because: &dyn Display) -> Trouble {
        self.flow.link().lost(Stage::Elevate, because)
    }

    fn late(&self, patience: Duration) -> Trouble {
        self.lost(&format!("the command has not ended within {} s", patience.as_secs_f32()))
    }
}
