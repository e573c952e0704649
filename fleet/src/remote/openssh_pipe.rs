//! A command on a host over the system's `ssh`, and its streams. While it sends, it reads: neither side can be stuck on the other.

use super::openssh::{Exit, Process, Streams};
use super::openssh_log::{Ending, ending, stage};
use super::pipe::{Pipe, Received, STALLED};
use crate::endpoint::Endpoint;
use crate::trouble::{Stage, Trouble};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio, read, write};
use std::collections::VecDeque;
use std::fmt::Display;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What a host may take for the login; as in the other transport.
const LOGIN: Duration = Duration::from_secs(60);
/// How much later than ssh itself we are to see that `ConnectTimeout` has passed.
const GRACE: Duration = Duration::from_secs(1);
/// How much of standard error is kept.
const ERRORS: usize = 64 << 10;
/// How much may come unasked while we are sending.
const EARLY: usize = 64 << 20;
/// How long ssh may take to end once its output has.
const ENDING: Duration = Duration::from_secs(1);
const CHUNK: usize = 32 << 10;

pub(super) struct OpenSshPipe {
    process: Process,
    endpoint: Endpoint,
    /// `None` once it has ended.
    input: Option<OwnedFd>,
    output: Outlet,
    errors: Outlet,
    /// Standard output that came while we were sending.
    early: VecDeque<u8>,
    /// The tail of standard error; twice as long as it should be at times.
    said: Vec<u8>,
    scratch: Vec<u8>,
    /// What has to have come by when, until the command has said something.
    milestones: VecDeque<Milestone>,
}

/// ssh keeps to `ConnectTimeout` until it knows a host's version, and waits for ever from then on.
struct Milestone {
    by: Instant,
    /// The stage that has to have begun.
    stage: Stage,
    limit: Duration,
    setting: &'static str,
}

/// A stream that comes from the process.
struct Outlet {
    stream: OwnedFd,
    over: bool,
}

impl Outlet {
    fn new(stream: OwnedFd) -> Self {
        Self { stream, over: false }
    }

    /// What is there, without waiting; `None` where nothing is.
    fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Errno> {
        if self.over || buffer.is_empty() {
            return Ok(None);
        }
        match read(&self.stream, buffer) {
            Ok(0) => {
                self.over = true;
                Ok(None)
            }
            Ok(count) => Ok(Some(count)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl OpenSshPipe {
    pub(super) fn new(mut process: Process, endpoint: Endpoint) -> Result<Self, Trouble> {
        let Streams { input, output, errors } =
            process.streams().expect("the process was started with three pipes, and nobody took them");
        let apart = ioctl_fionbio(&input, true)
            .and_then(|()| ioctl_fionbio(&output, true))
            .and_then(|()| ioctl_fionbio(&errors, true));
        apart.map_err(|error| Trouble::Here(format!("{}: {error}", endpoint.alias)))?;
        let limit = endpoint.connect_timeout;
        let by = Instant::now() + limit + GRACE;
        let met = Milestone { by, stage: Stage::Login, limit, setting: " (ConnectTimeout)" };
        let let_in = Milestone { by: by + LOGIN, stage: Stage::Elevate, limit: LOGIN, setting: "" };
        Ok(Self {
            process,
            endpoint,
            input: Some(input),
            output: Outlet::new(output),
            errors: Outlet::new(errors),
            early: VecDeque::new(),
            said: Vec::new(),
            scratch: vec![0; CHUNK],
            milestones: [met, let_in].into(),
        })
    }

    /// Reads some of standard error. True where there was something.
    fn gather(&mut self) -> Result<bool, Trouble> {
        let read = self.errors.read(&mut self.scratch).map_err(|error| lost(&error))?;
        let Some(count) = read else { return Ok(false) };
        if self.said.len() > 2 * ERRORS {
            self.said.drain(..self.said.len() - ERRORS);
        }
        self.said.extend_from_slice(&self.scratch[..count]);
        Ok(true)
    }

    /// Takes standard output while we want to send. True where there was something.
    fn take_early(&mut self) -> Result<bool, Trouble> {
        let mut some = self.gather()?;
        while let Some(count) = self.output.read(&mut self.scratch).map_err(|error| lost(&error))? {
            self.milestones.clear();
            self.early.extend(&self.scratch[..count]);
            if self.early.len() > EARLY {
                let because = "it sends without end, and takes nothing".to_owned();
                return Err(Trouble::Protocol { stage: Stage::Elevate, because });
            }
            some = true;
        }
        Ok(some)
    }

    /// Waits until something can go on, or until then.
    fn wait(&mut self, until: Option<Instant>, sending: Sending) -> Result<(), Trouble> {
        self.check_milestone()?;
        let now = Instant::now();
        let next = until.into_iter().chain(self.milestones.front().map(|next| next.by)).min();
        let timeout = next.map(|next| next.saturating_duration_since(now));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut watched = Vec::new();
        if !self.output.over {
            watched.push(PollFd::new(&self.output.stream, PollFlags::IN));
        }
        if !self.errors.over {
            watched.push(PollFd::new(&self.errors.stream, PollFlags::IN));
        }
        if let Some(input) = self.input.as_ref().filter(|_| sending == Sending::Yes) {
            watched.push(PollFd::new(input, PollFlags::OUT));
        }
        match poll(&mut watched, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(lost(&error)),
        }
    }

    fn check_milestone(&mut self) -> Result<(), Trouble> {
        let passed = |next: &Milestone| Instant::now() >= next.by;
        if !self.milestones.front().is_some_and(passed) {
            return Ok(());
        }
        let Some(Milestone { stage: wanted, limit, setting, .. }) = self.milestones.pop_front() else {
            return Ok(());
        };
        let stage = stage(&self.process.log()?);
        if stage < wanted { Err(Trouble::Timeout { stage, limit, setting }) } else { Ok(()) }
    }

    /// Waits for the process itself; `None` where it goes on.
    fn exit(&mut self, until: Instant) -> Result<Option<Exit>, Trouble> {
        let mut pause = Duration::from_millis(1);
        loop {
            self.gather()?;
            if let Some(exit) = self.process.exit()? {
                while self.gather()? {}
                return Ok(Some(exit));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// The exit status of the command, given that of ssh.
    fn status(&self, exit: Exit) -> Result<Option<i32>, Trouble> {
        match exit {
            Exit::Status(255) => match ending(&self.endpoint, &self.process.log()?, self.errors()) {
                Ending::Command => Ok(Some(255)),
                Ending::Signal => Ok(None),
                Ending::Trouble(trouble) => Err(trouble),
            },
            Exit::Status(status) => Ok(Some(status)),
            Exit::Signal(signal) => Err(lost(&format!("ssh was killed by signal {signal}"))),
        }
    }
}

impl Pipe for OpenSshPipe {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let (mut rest, mut moved) = (bytes, Instant::now());
        while !rest.is_empty() {
            let Some(input) = &self.input else { return Err(lost(&"the command's input has ended")) };
            match write(input, rest) {
                Ok(sent) => (rest, moved) = (&rest[sent..], Instant::now()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if self.take_early()? => moved = Instant::now(),
                Err(Errno::AGAIN) if moved.elapsed() >= STALLED => {
                    return Err(lost(&"the host takes nothing any more"));
                }
                Err(Errno::AGAIN) => self.wait(Some(moved + STALLED), Sending::Yes)?,
                Err(Errno::PIPE) => return Err(lost(&"the command has ended")),
                Err(error) => return Err(lost(&error)),
            }
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> Result<Received, Trouble> {
        let until = Instant::now() + patience;
        loop {
            if !self.early.is_empty() {
                return self.early.read(buffer).map(Received::Bytes).map_err(|error| lost(&error));
            }
            if let Some(count) = self.output.read(buffer).map_err(|error| lost(&error))? {
                self.milestones.clear();
                return Ok(Received::Bytes(count));
            }
            let some = self.gather()?;
            if self.output.over {
                // Where it was ssh that failed, there was no command.
                if let Some(exit) = self.exit(Instant::now() + ENDING)? {
                    self.status(exit)?;
                }
                return Ok(Received::End);
            }
            if Instant::now() >= until {
                return Ok(Received::Nothing);
            }
            if !some {
                self.wait(Some(until), Sending::No)?;
            }
        }
    }

    fn errors(&self) -> &[u8] {
        &self.said[self.said.len().saturating_sub(ERRORS)..]
    }

    fn finish(&mut self, patience: Duration) -> Result<Option<i32>, Trouble> {
        let until = Instant::now() + patience;
        self.input = None;
        let late = || lost(&format!("the command has not ended within {} s", patience.as_secs_f32()));
        let mut scratch = vec![0; CHUNK];
        loop {
            match self.receive(&mut scratch, until.saturating_duration_since(Instant::now()))? {
                Received::Bytes(_) => {}
                Received::Nothing => return Err(late()),
                Received::End => break,
            }
        }
        let exit = self.exit(until)?.ok_or_else(late)?;
        self.status(exit)
    }
}

/// Is there something to send?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    Yes,
    No,
}

fn lost(because: &dyn Display) -> Trouble {
    Trouble::Lost { stage: Stage::Elevate, because: because.to_string() }
}
