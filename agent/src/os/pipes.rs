//! Carries bytes to and from a running child in one thread, until it has ended or its time is up.
//! It must not wait for whoever else holds the pipes: a daemon left behind by the child may do so for years.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};

use super::capture::{Cap, Capture};

/// How long output that is still on its way is waited for after the child has ended.
const AFTER_EXIT: Duration = Duration::from_millis(100);
/// How long a child has between SIGTERM and SIGKILL.
const BEFORE_KILL: Duration = Duration::from_secs(5);
/// How often a child is looked at on kernels without pidfd (before 5.3).
const TICK: Duration = Duration::from_millis(10);
/// How often it is looked whether a child is still wanted.
const GLANCE: Duration = Duration::from_millis(100);

/// How it ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    /// By itself.
    Exited(ExitStatus),
    /// Its time was up, or nobody wants it any more, and it was killed with its process group.
    TimedOut,
}

/// How long a child may run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit<'a> {
    pub(super) timeout: Duration,
    /// True where it is not wanted any more.
    pub(super) given_up: Option<&'a AtomicBool>,
}

impl Limit<'_> {
    fn is_given_up(&self) -> bool {
        self.given_up.is_some_and(|given_up| given_up.load(Ordering::Relaxed))
    }
}

struct Carrier<'a> {
    limit: Limit<'a>,
    stdin: Option<(std::process::ChildStdin, &'a [u8])>,
    stdout: Stream<std::process::ChildStdout>,
    stderr: Stream<std::process::ChildStderr>,
    watch: Option<OwnedFd>,
    pid: Pid,
}

struct Stream<R> {
    pipe: Option<R>,
    capture: Capture,
}

/// Feeds `input`, collects both outputs, waits for the end, and kills the child's group when `limit` has come.
///
/// The child must be the leader of its process group.
///
/// # Errors
/// The system's answer to polling or waiting; the group has been killed then.
pub(super) fn carry(
    child: &mut Child,
    input: &[u8],
    limit: Limit<'_>,
    cap: Cap,
) -> io::Result<(Ending, Capture, Capture)> {
    let pid = Pid::from_child(child);
    let carried = Carrier::new(child, input, limit, cap).and_then(|mut carrier| {
        let in_time = carrier.run(Instant::now().checked_add(limit.timeout))?;
        if !in_time {
            carrier.stop()?;
        }
        Ok((in_time, carrier.stdout.capture, carrier.stderr.capture))
    });
    let killed = !matches!(carried, Ok((true, ..)));
    if killed {
        // Not reaped yet, so the number cannot belong to anybody else.
        signal(pid, Signal::KILL)?;
    }
    if killed && !ends_within(pid, BEFORE_KILL)? {
        // It hangs in the kernel, on a dead disk or network file system: not even SIGKILL ends it, and we must go on.
        return carried.map(|(_, stdout, stderr)| (Ending::TimedOut, stdout, stderr));
    }
    let status = child.wait()?;
    let (in_time, stdout, stderr) = carried?;
    Ok((if in_time { Ending::Exited(status) } else { Ending::TimedOut }, stdout, stderr))
}

impl<'a> Carrier<'a> {
    fn new(child: &mut Child, input: &'a [u8], limit: Limit<'a>, cap: Cap) -> io::Result<Self> {
        let pid = Pid::from_child(child);
        let watch = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(watch) => Some(watch),
            Err(Errno::NOSYS | Errno::PERM) => None,
            Err(errno) => return Err(errno.into()),
        };
        Ok(Self {
            limit,
            stdin: open(child.stdin.take())?.map(|pipe| (pipe, input)),
            stdout: Stream { pipe: open(child.stdout.take())?, capture: Capture::new(cap) },
            stderr: Stream { pipe: open(child.stderr.take())?, capture: Capture::new(cap) },
            watch,
            pid,
        })
    }

    /// Returns true when the child has ended, false when its time is up, or it is not wanted any more.
    fn run(&mut self, deadline: Option<Instant>) -> io::Result<bool> {
        loop {
            self.exchange()?;
            if has_ended(self.pid)? {
                self.drain(Instant::now() + AFTER_EXIT)?;
                return Ok(true);
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) || self.limit.is_given_up() {
                return Ok(false);
            }
            self.wait(deadline.map(|deadline| deadline - now))?;
        }
    }

    /// Reads what is left, as long as more comes before `until`.
    fn drain(&mut self, until: Instant) -> io::Result<()> {
        self.stdin = None;
        self.watch = None;
        loop {
            self.exchange()?;
            let now = Instant::now();
            if (self.stdout.pipe.is_none() && self.stderr.pipe.is_none()) || now >= until {
                return Ok(());
            }
            self.wait(Some(until - now))?;
        }
    }

    /// Asks the group to end, and waits a little for its leader to do so.
    fn stop(&mut self) -> io::Result<()> {
        signal(self.pid, Signal::TERM)?;
        let until = Instant::now() + BEFORE_KILL;
        while !has_ended(self.pid)? && Instant::now() < until {
            self.exchange()?;
            self.wait(Some(until.saturating_duration_since(Instant::now())))?;
        }
        Ok(())
    }

    fn exchange(&mut self) -> io::Result<()> {
        if let Some((pipe, left)) = &mut self.stdin
            && feed(pipe, left)?
        {
            self.stdin = None;
        }
        self.stdout.read()?;
        self.stderr.read()
    }

    fn wait(&self, longest: Option<Duration>) -> io::Result<()> {
        let wants = |fd, events| PollFd::from_borrowed_fd(fd, events);
        let reading =
            [fd_of(self.stdout.pipe.as_ref()), fd_of(self.stderr.pipe.as_ref()), fd_of(self.watch.as_ref())];
        let mut fds: Vec<PollFd<'_>> =
            reading.into_iter().flatten().map(|fd| wants(fd, PollFlags::IN)).collect();
        fds.extend(self.stdin.as_ref().map(|(pipe, _)| wants(pipe.as_fd(), PollFlags::OUT)));
        let tick = match (&self.watch, self.limit.given_up) {
            (None, _) => Some(TICK),
            (Some(_), Some(_)) => Some(GLANCE),
            (Some(_), None) => None,
        };
        let longest = longest.into_iter().chain(tick).min();
        let longest = longest.and_then(|time| Timespec::try_from(time).ok());
        match poll(&mut fds, longest.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl<R: Read> Stream<R> {
    /// Takes what is there now, at most 1 MiB, so that a child that never stops writing cannot keep us from the clock.
    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        for _ in 0..64 {
            let Some(pipe) = &mut self.pipe else { return Ok(()) };
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => self.capture.push(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Writes what the pipe takes; true when there is no more to write, or nobody who reads.
fn feed(pipe: &mut std::process::ChildStdin, left: &mut &[u8]) -> io::Result<bool> {
    while !left.is_empty() {
        match pipe.write(left) {
            Ok(length) => *left = &left[length..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // It did not want all of it; whether that is an error its exit status says.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(true),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Makes our end of a pipe non-blocking; the child's end is another open file and stays as it is.
fn open<P: AsFd>(pipe: Option<P>) -> io::Result<Option<P>> {
    if let Some(pipe) = &pipe {
        fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
    }
    Ok(pipe)
}

fn fd_of<P: AsFd>(pipe: Option<&P>) -> Option<BorrowedFd<'_>> {
    pipe.map(AsFd::as_fd)
}

/// Whether the child has ended; it stays a zombie, so that its number stays its own.
fn has_ended(pid: Pid) -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(pid), options)?.is_some())
}

fn ends_within(pid: Pid, patience: Duration) -> io::Result<bool> {
    let until = Instant::now() + patience;
    while !has_ended(pid)? {
        if Instant::now() >= until {
            return Ok(false);
        }
        std::thread::sleep(TICK);
    }
    Ok(true)
}

fn signal(group: Pid, signal: Signal) -> io::Result<()> {
    match kill_process_group(group, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
