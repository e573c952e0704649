//! Watching a run that goes on by itself: its events as its own process writes them, those to come as well, and its ending.
//!
//! Nothing here touches the run, save that it is told to stop where that is asked for. Whether it lives is told by the host's run lock,
//! never by its silence.

use super::ending::of_report;
use super::means::Means;
use crate::engine::LOCKED;
use crate::state::{EventLines, Phase, Read, StateDir};
use model::{Event, EventBody, Failure, Gather, Id, Report, Settled};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};
use wire::Ending;

/// How often the events and the lock are looked at.
const AGAIN: Duration = Duration::from_millis(100);

/// How long somebody who has the host may take to say for which run.
const NAMED: Duration = Duration::from_secs(5);

/// How long who unwinds a run may take to begin again where he died.
const RESTART: Duration = Duration::from_secs(30);

/// How long a machine may take to go down for a run that goes on after that.
const DOWN: Duration = Duration::from_secs(300);

/// Tells the events of a run from number `from` on, and how it ends; `None` is the run under way, or else the last one.
///
/// # Errors
/// There is no such run; or it goes on unwatched.
pub(super) fn attach((run, from): (Option<u64>, u64), means: &Means<'_>) -> Result<Ending, Failure> {
    let run = match run {
        Some(run) => known(run, means.state)?,
        None => under_way_or_last(means.state)?,
    };
    let (lines, seen) = (EventLines::new(means.state, run), Seen::default());
    Watch { means, run, from, next: 0, lines, seen, dead_since: None }.follow()
}

fn known(run: u64, state: &StateDir) -> Result<u64, Failure> {
    if state.numbers()?.contains(&run) || lives(run, state) {
        return Ok(run);
    }
    Err(Failure::refused(format!("there is no run {run}"), "`keel history` lists them"))
}

fn under_way_or_last(state: &StateDir) -> Result<u64, Failure> {
    let start = Instant::now();
    while start.elapsed() < NAMED {
        match state.holder() {
            // Nobody has it.
            Ok(None) => break,
            Ok(Some(by)) if !by.run.is_empty() => {
                return by
                    .run
                    .parse()
                    .map_err(|_| Failure::unknown("the run under way", format!("it is {}", by.run)));
            }
            // Somebody plans, or is about to begin.
            Ok(Some(_)) | Err(Failure::Unknown { .. }) => sleep(AGAIN),
            Err(failure) => return Err(failure),
        }
    }
    let none = || Failure::refused("there has been no run on this machine", "`keel apply` makes one");
    state.numbers()?.last().copied().ok_or_else(none)
}

/// Whether the run is under way. Where somebody has the host and cannot be read, it may be: that is found out when he is done.
fn lives(run: u64, state: &StateDir) -> bool {
    match state.holder() {
        Ok(by) => by.is_some_and(|by| by.run == run.to_string()),
        Err(_) => true,
    }
}

/// A run that is watched.
struct Watch<'a> {
    means: &'a Means<'a>,
    run: u64,
    from: u64,
    /// The number of the next event.
    next: u64,
    lines: EventLines,
    seen: Seen,
    /// Since when nobody has been seen to carry it out.
    dead_since: Option<Instant>,
}

/// What is still to come of a run.
#[derive(Clone, Copy)]
enum Look {
    /// It is under way, or will be.
    Lives,
    /// It has ended, and is being unwound.
    Unwinding,
    /// Nothing.
    Over,
}

/// What the events came to so far.
#[derive(Default)]
struct Seen {
    /// What is to change, and has not come to an end.
    open: BTreeSet<Id>,
    counted: Report,
    report: Option<Report>,
    is_reverted: bool,
    /// Something was left out because it is locked.
    is_locked: bool,
    /// The last event says what went wrong.
    is_wrong: bool,
    /// The host goes down, and may take so many seconds to come back.
    rebooting: Option<u64>,
}

impl Watch<'_> {
    fn follow(mut self) -> Result<Ending, Failure> {
        let mut is_stopped = false;
        loop {
            // In this order: what was written before the run ended, or was unwound, has been read when that is known.
            let look = self.look()?;
            self.read()?;
            if let Some(ending) = self.ending(look)? {
                return Ok(ending);
            }
            if self.means.controller.wants_stop() && !is_stopped {
                is_stopped = self.means.state.ask_to_stop(self.run)?;
            } else if self.means.stop.load(Ordering::SeqCst) && !is_stopped {
                let why = format!("nobody watches run {} any more; it goes on", self.run);
                return Err(Failure::refused(why, "attach to it again"));
            }
            sleep(AGAIN);
        }
    }

    /// Tells what has been written since.
    fn read(&mut self) -> Result<(), Failure> {
        loop {
            match self.lines.following() {
                Ok(None) => return Ok(()),
                Ok(Some(event)) => {
                    while self.next < event.seq {
                        self.tell(EventBody::Note {
                            text: "this event is missing in the run's own record".to_owned(),
                        });
                    }
                    self.next = event.seq + 1;
                    self.hand_on(&event);
                }
                Err(Failure::Unknown { .. }) => {
                    self.tell(EventBody::Note { text: "this event cannot be read any more".to_owned() });
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn hand_on(&mut self, event: &Event) {
        self.seen.take(&event.body, self.run);
        if event.seq >= self.from {
            (self.means.watch)(event);
        }
    }

    /// Tells what the run itself did not.
    fn tell(&mut self, body: EventBody) {
        let event = Event { at: (self.means.clock)(), seq: self.next, body };
        self.next += 1;
        self.hand_on(&event);
    }

    /// Whether something is still to come. Who goes on with a run that died may take a little to do so.
    fn look(&mut self) -> Result<Look, Failure> {
        let pending = self.means.state.pending()?.filter(|pending| pending.run == self.run);
        let is_unwound = pending.as_ref().is_some_and(|pending| pending.phase == Phase::Unwinding);
        let patience = match (self.seen.rebooting, pending) {
            (Some(seconds), _) => Duration::from_secs(seconds),
            // It may be killed by the machine going down before it has told of that.
            (None, _) if self.means.state.goes_on()? == Some(self.run) => DOWN,
            (None, Some(_)) => RESTART,
            (None, None) => Duration::ZERO,
        };
        if lives(self.run, self.means.state) {
            self.dead_since = None;
        } else if self.dead_since.get_or_insert_with(Instant::now).elapsed() >= patience {
            return Ok(Look::Over);
        }
        Ok(if is_unwound { Look::Unwinding } else { Look::Lives })
    }

    /// How the run ended; `None` where it has not. One that has ended and waits to be confirmed has ended as it says.
    fn ending(&mut self, look: Look) -> Result<Option<Ending>, Failure> {
        match (&self.seen.report, look) {
            (Some(report), Look::Lives) => return Ok(Some(self.seen.ending(report))),
            (None, Look::Lives) | (_, Look::Unwinding) => return Ok(None),
            (_, Look::Over) => {}
        }
        if let Some(ending) = self.settled()? {
            return Ok(Some(ending));
        }
        if let Some(report) = &self.seen.report {
            return Ok(Some(self.seen.ending(report)));
        }
        let (Read::Whole(status) | Read::Damaged(status, _)) = self.means.state.status(self.run)? else {
            return Ok(Some(self.cut_off()));
        };
        let Some(report) = status.end else { return Ok(Some(self.cut_off())) };
        // The journal is what counts.
        let ending = self.seen.ending(&report);
        let text = self.seen.missing(&report);
        self.tell(EventBody::Note { text });
        self.tell(EventBody::Report(report));
        Ok(Some(ending))
    }

    /// What became of a run that waited to be confirmed, where it is not as it left it. Who settled that may not have come to tell.
    fn settled(&mut self) -> Result<Option<Ending>, Failure> {
        let run = self.run.to_string();
        Ok(match self.means.state.settled(self.run)? {
            Some(Settled::Reverted(because)) => {
                if !self.seen.is_reverted {
                    self.tell(EventBody::Reverted { run, because });
                }
                Some(Ending::Reverted)
            }
            Some(Settled::Stuck(left)) => {
                if !self.seen.is_wrong {
                    let text =
                        format!("run {run} was not confirmed, and not all of it could be undone: {left}");
                    self.tell(EventBody::Error { text });
                }
                Some(Ending::Failed)
            }
            Some(Settled::Confirmed) | None => None,
        })
    }

    fn cut_off(&mut self) -> Ending {
        let run = self.run;
        self.tell(EventBody::Error {
            text: format!("run {run} was cut off; the next run takes up what it left"),
        });
        let unknown = self.seen.open.len() as u64;
        let run = Some(run.to_string());
        self.tell(EventBody::Report(Report { run, unknown, ..self.seen.counted.clone() }));
        Ending::Failed
    }
}

impl Seen {
    fn take(&mut self, body: &EventBody, run: u64) {
        self.is_wrong = matches!(body, EventBody::Error { .. });
        match body {
            EventBody::Plan(plan) => self.open = plan.nodes.iter().map(|node| node.id.clone()).gather(),
            EventBody::Node { id, status, because, .. } => {
                self.is_locked |= because.starts_with(LOCKED);
                self.open.remove(id);
                self.counted.count(*status);
            }
            EventBody::Report(report) => self.report = Some(report.clone()),
            EventBody::Reverted { run: reverted, .. } => self.is_reverted |= *reverted == run.to_string(),
            EventBody::Rebooting { timeout } => self.rebooting = Some(*timeout),
            EventBody::Resumed { .. } => self.rebooting = None,
            _ => {}
        }
    }

    /// What is not known of a run whose record ends before its journal.
    fn missing(&self, report: &Report) -> String {
        let all = |of: &Report| of.changed + of.unchanged + of.failed + of.skipped + of.unknown;
        let ends = match all(report).saturating_sub(all(&self.counted)) {
            0 => String::new(),
            1 => ", the end of 1 resource among them".to_owned(),
            many => format!(", the ends of {many} resources among them"),
        };
        format!("the events before this one could not be written, and are missing{ends}")
    }

    fn ending(&self, report: &Report) -> Ending {
        match (self.is_reverted, self.is_locked && report.failed + report.unknown == 0) {
            (true, _) => Ending::Reverted,
            (false, true) => Ending::Locked,
            (false, false) => of_report(report),
        }
    }
}
