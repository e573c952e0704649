//! Where the work on one host is, and what has been seen of its run. The only way by which what a host says is told: with the name
//! of its target, whatever it calls itself; an event once.

use crate::endpoint::Endpoint;
use crate::push::controller::Controller;
use crate::push::target::Push;
use crate::runs::{Entry, Lost, Record, Runs};
use crate::trouble::{Stage, Trouble};
use crate::watch::{Mark, Seen};
use model::Event;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use wire::Order;

/// How often somebody who waits looks whether the user wants to leave.
const GLANCE: Duration = Duration::from_millis(100);

/// One host's place.
pub(crate) struct Progress<'a> {
    /// The name of its target.
    pub host: &'a str,
    /// Who is told.
    pub controller: &'a dyn Controller,
    stop: &'a AtomicBool,
    detach: &'a AtomicBool,
    runs: Option<&'a Runs>,
    stage: Cell<Stage>,
    /// True once the yes was said, or a run is watched: nothing here ends it.
    is_committed: Cell<bool>,
    was_stopped: Cell<bool>,
    seen: RefCell<Seen>,
    /// What the next event has to be, where the number of the run is not known.
    expected: RefCell<Option<Mark>>,
    /// What is kept of the run for a later call, while it goes.
    entry: RefCell<Option<Entry>>,
    command: RefCell<String>,
}

impl<'a> Progress<'a> {
    /// Before the connection.
    pub fn new(host: &'a str, push: &Push<'a>) -> Self {
        Self {
            host,
            controller: push.controller,
            stop: push.stop,
            detach: push.detach,
            runs: push.runs,
            stage: Cell::new(Stage::Connect),
            is_committed: Cell::default(),
            was_stopped: Cell::default(),
            seen: RefCell::default(),
            expected: RefCell::default(),
            entry: RefCell::default(),
            command: RefCell::default(),
        }
    }

    /// What comes now.
    pub fn enter(&self, stage: Stage) {
        self.stage.set(stage);
        self.controller.stage(self.host, stage);
    }

    /// Where it is.
    pub fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// Something for the operator.
    pub fn note(&self, text: &str) {
        self.controller.note(self.host, text);
    }

    /// What has been seen of the run.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// What the host is asked for now.
    pub fn ordered(&self, order: &Order) {
        *self.command.borrow_mut() = match order {
            Order::Rollback(_) => "rollback".to_owned(),
            order => order.work().map(|work| work.command.clone()).unwrap_or_default(),
        };
        if let Order::Attach { run, from } = order {
            let mut seen = self.seen.borrow_mut();
            (seen.run, seen.next) = (seen.run.or(*run), *from);
        }
    }

    /// From here on the run is the host's own: what is needed to find it again is kept.
    pub fn commit(&self, endpoint: &Endpoint) {
        if self.is_committed.replace(true) {
            return;
        }
        let Some(runs) = self.runs else { return };
        match runs.enter(endpoint) {
            Ok(entry) => *self.entry.borrow_mut() = entry,
            Err(because) => self.note(&format!("{because}; a later call will not know of this run")),
        }
        self.keep();
    }

    /// Goes on with what an earlier call has seen.
    pub fn recall(&self, endpoint: &Endpoint, lost: &Lost) {
        *self.seen.borrow_mut() = lost.seen();
        *self.command.borrow_mut() = lost.command().to_owned();
        self.commit(endpoint);
    }

    /// The end of the run is known.
    pub fn forget(&self) {
        if let Some(Err(because)) = self.entry.take().map(Entry::remove) {
            self.note(&because);
        }
    }

    /// An event of the host. One that was seen before is not told again.
    ///
    /// # Errors
    /// It is that of another run than the one that is looked for.
    pub fn event(&self, event: &Event) -> Result<(), Trouble> {
        if let Some(expected) = self.expected.take() {
            if expected == Mark::of(event) {
                return Ok(());
            }
            *self.expected.borrow_mut() = Some(expected);
            return Err(self.adrift("what goes on there is another run"));
        }
        self.controller.event(self.host, event);
        self.seen.borrow_mut().take(event);
        if self.is_committed.get() {
            self.keep();
        }
        Ok(())
    }

    /// An event that comes with the answer to a confirmation. It is none of the run's own, and told as the next one.
    pub fn late_event(&self, event: Event) -> Result<(), Trouble> {
        let seq = self.seen.borrow().next;
        self.event(&Event { seq, ..event })
    }

    /// How the run is attached to: its number, and the first event that is wanted.
    pub fn attachment(&self) -> (Option<u64>, u64) {
        let seen = self.seen.borrow();
        match (seen.run, &seen.last) {
            (None, Some(last)) => {
                *self.expected.borrow_mut() = Some(last.clone());
                (None, last.seq)
            }
            (run, _) => (run, seen.next),
        }
    }

    /// True where a run was attached to by its last event, and that has not come: it is not the one.
    pub fn is_unmatched(&self) -> bool {
        self.expected.borrow().is_some()
    }

    fn keep(&self) {
        let mut entry = self.entry.borrow_mut();
        let Some(open) = entry.as_mut() else { return };
        let record = Record::new(self.host, &self.command.borrow(), &self.seen.borrow());
        if let Err(because) = open.write(&record) {
            *entry = None;
            self.note(&format!("{because}; a later call will not know how far this run was told"));
        }
    }

    /// True where the user wants it to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The run was told to stop.
    pub fn stops(&self) {
        self.was_stopped.set(true);
    }

    /// True where the run was told to stop.
    pub fn was_stopped(&self) -> bool {
        self.was_stopped.get()
    }

    /// An end where the user wants one, while nothing runs on the host; afterwards only where the user wants to leave.
    pub fn go_on(&self) -> Result<(), Trouble> {
        self.leave()?;
        let ends = !self.is_committed.get() && self.is_stopped();
        if ends { Err(Trouble::Stopped { stage: self.stage() }) } else { Ok(()) }
    }

    /// An end where the user wants to leave.
    pub fn leave(&self) -> Result<(), Trouble> {
        if !self.detach.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (host, Seen { run, window, .. }) = (self.host.to_owned(), self.seen());
        Err(match self.is_committed.get() {
            true => Trouble::Detached { host, run, window },
            false => Trouble::Stopped { stage: self.stage() },
        })
    }

    /// Waits, for at most so long.
    ///
    /// # Errors
    /// As of [`Self::go_on`].
    pub fn rest(&self, time: Duration) -> Result<(), Trouble> {
        let since = Instant::now();
        loop {
            self.go_on()?;
            let left = time.saturating_sub(since.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(GLANCE));
        }
    }

    /// The connection of the run is lost.
    pub fn adrift(&self, because: &str) -> Trouble {
        let Seen { run, window, .. } = self.seen();
        Trouble::Adrift { host: self.host.to_owned(), because: because.to_owned(), run, window }
    }

    /// A transport knows what happened to a connection; when, is known here. Only what went wrong before there was one it knows
    /// better: the system's `ssh` connects as late as it is given a command.
    pub fn placed(&self, trouble: Trouble) -> Trouble {
        let stage = self.stage();
        match trouble {
            Trouble::Lost { stage, .. } | Trouble::Timeout { stage, .. } if stage < Stage::Elevate => trouble,
            Trouble::Lost { because, .. } if stage == Stage::Run => self.adrift(&because),
            Trouble::Lost { because, .. } => Trouble::Lost { stage, because },
            Trouble::Protocol { because, .. } if stage == Stage::Run => {
                let whereabouts = crate::trouble::whereabouts(self.host, self.seen().run);
                Trouble::Protocol {
                    stage,
                    because: format!("{because}; it is not listened to any more. {whereabouts}"),
                }
            }
            Trouble::Protocol { because, .. } => Trouble::Protocol { stage, because },
            Trouble::Timeout { limit, setting, .. } => Trouble::Timeout { stage, limit, setting },
            other => other,
        }
    }
}
