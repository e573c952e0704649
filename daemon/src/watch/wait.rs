//! The one place where the agent waits: until something can be read, a signal comes, or a time has come. A clock that is set meanwhile
//! wakes it too. Nobody polls but for what makes no sound (`values`).

use model::Failure;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Waits for all of it.
pub struct Wait {
    /// At a time of day.
    clock: OwnedFd,
    /// A signal has come.
    signal: UnixStream,
    wake: UnixStream,
    /// Becomes true when the agent is to end.
    pub stop: Arc<AtomicBool>,
    /// Becomes true when it is to look at everything now.
    pub look: Arc<AtomicBool>,
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The time that was given has passed, and nothing else.
    Time,
    /// Something else is mounted, among others.
    Mounts,
    /// Anything else.
    Something,
}

/// Ends a wait, from another thread.
pub struct Bell(Option<UnixStream>);

impl Bell {
    /// Rings.
    pub fn ring(&self) {
        // Where it is full of rings already, one more says nothing new.
        if let Some(mut wake) = self.0.as_ref() {
            wake.write_all(b"r").ok();
        }
    }

    /// One that nobody hears.
    pub fn silent() -> Self {
        Self(None)
    }
}

impl Wait {
    /// From now on SIGTERM and SIGINT ask the agent to end, and SIGHUP to look at everything.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn new() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::io("handle", "signals", error);
        let (stop, look) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
        let (signal, wake) = UnixStream::pair().map_err(failed)?;
        signal.set_nonblocking(true).map_err(failed)?;
        for (number, flag) in [(SIGTERM, &stop), (SIGINT, &stop), (SIGHUP, &look)] {
            signal_hook::flag::register(number, Arc::clone(flag)).map_err(failed)?;
            signal_hook::low_level::pipe::register(number, wake.try_clone().map_err(failed)?)
                .map_err(failed)?;
        }
        let clock = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK);
        let clock = clock.map_err(|error| Failure::io("set", "a timer", error))?;
        wake.set_nonblocking(true).map_err(failed)?;
        Ok(Self { clock, signal, wake, stop, look })
    }

    /// A bell that ends a wait.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn bell(&self) -> Result<Bell, Failure> {
        let wake = self.wake.try_clone().map_err(|error| Failure::io("make", "a bell", error))?;
        Ok(Bell(Some(wake)))
    }

    /// True where the agent is to end.
    pub fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// It is.
    pub fn end(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Waits until one of the inputs can be read, the table of mounts is another one, a signal comes, it is `at` (seconds since 1970), the clock was set, or `within` has passed.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn wait(
        &self,
        (inputs, mounts): (&[BorrowedFd<'_>], Option<BorrowedFd<'_>>),
        at: u64,
        within: Option<Instant>,
    ) -> Result<Woken, Failure> {
        let failed = |error: Errno| Failure::io("wait for", "anything to happen", error);
        let value = Timespec { tv_sec: i64::try_from(at).unwrap_or(i64::MAX), tv_nsec: 0 };
        let timer = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        timerfd_settime(&self.clock, flags, &timer).map_err(failed)?;
        let own = [self.clock.as_fd(), self.signal.as_fd()];
        // That can always be read; what tells of a change is its priority (proc_pid_mountinfo(5)), and only once.
        let table = mounts.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::PRI));
        let mut all: Vec<PollFd<'_>> =
            own.iter().chain(inputs).map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        all.extend(table);
        let left = within.map(|within| timespec(within.saturating_duration_since(Instant::now())));
        let woken = match poll(&mut all, left.as_ref()) {
            Ok(0) => Woken::Time,
            Ok(_) if mounts.is_some() && all.last().is_some_and(|table| !table.revents().is_empty()) => {
                Woken::Mounts
            }
            Ok(_) | Err(Errno::INTR) => Woken::Something,
            Err(error) => return Err(failed(error)),
        };
        // Whatever they say: what has happened is seen by looking.
        let mut buffer = [0; 64];
        for fd in own {
            rustix::io::read(fd, &mut buffer).ok();
        }
        Ok(woken)
    }
}

fn timespec(left: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    }
}
