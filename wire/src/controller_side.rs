//! What a controller takes from a host, and when: a machine without I/O, fed by `inbox`. A host that says anything else is not talked
//! with any further. What it says stays data: capped and made inert where it is shown.

use crate::{Ending, Heard, Hello, Malformed, Order, Reply, Up, VERSION, Work, common};
use model::{CheckEnd, Digest, Event, EventBody, Report};
use std::collections::BTreeSet;

/// Most bytes of the first words: they are held before anything else is known of a host.
pub const LONGEST_HELLO: usize = 64 << 10;

/// How far the host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It has said nothing.
    Silent,
    /// Its first words have come; it has no order.
    Greeted,
    /// It has the order.
    Working,
    /// It has asked, and waits.
    Asked,
    /// It was told yes.
    Committed,
    /// Its last words have come.
    Done,
}

/// The controller's view of the conversation. It is told what the controller itself says, and judges what the host says.
#[derive(Debug)]
pub struct ControllerSide {
    stage: Stage,
    spoken: u32,
    order: Expected,
    /// What the catalog names and the host has not wanted yet.
    contents: BTreeSet<Digest>,
    /// True where the event with the plan has come.
    is_planned: bool,
    /// The report, after which there are no events but what became of a run that waited to be confirmed.
    report: Option<Report>,
    /// The checks whose results are due, by their names; of another order `None`.
    checks: Option<Vec<String>>,
    /// True where all of them passed.
    is_passed: bool,
    /// The number that the next event has, where the events of a run are told from one on.
    next: Option<u64>,
}

/// What the order lets a host say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// A question, and then a run.
    Run,
    /// A run that changes nothing but a copy.
    Rehearsal,
    /// A run that somebody said yes to before.
    Watched,
    /// No run.
    Forecast,
    /// A reply, once.
    Reply,
    /// Nothing but the end.
    Nothing,
}

impl Default for ControllerSide {
    fn default() -> Self {
        Self {
            stage: Stage::Silent,
            spoken: VERSION,
            order: Expected::Nothing,
            contents: BTreeSet::new(),
            is_planned: false,
            report: None,
            checks: None,
            is_passed: false,
            next: None,
        }
    }
}

impl ControllerSide {
    /// To be called before the order is sent.
    pub fn orders(&mut self, order: &Order) {
        self.order = match order {
            _ if order.may_change() => Expected::Run,
            Order::Rehearse(_) => Expected::Rehearsal,
            Order::Attach { .. } | Order::Confirm { .. } => Expected::Watched,
            Order::Plan(_) | Order::Apply(_) | Order::Rollback(_) => Expected::Forecast,
            Order::Drift(_) | Order::History | Order::Show { .. } | Order::Locks | Order::Check(_) => {
                Expected::Reply
            }
            Order::Keeping | Order::Settings { .. } | Order::Pause(_) | Order::Resume => Expected::Reply,
            Order::Drill(_) | Order::EndDrill { .. } => Expected::Reply,
            Order::Lock(_) | Order::Unlock { .. } | Order::Facts => Expected::Nothing,
        };
        if let Order::Attach { from, .. } = order {
            self.next = Some(*from);
        }
        if let Order::Check(checks) = order {
            self.checks = Some(checks.iter().map(|check| check.name.clone()).collect());
        }
        self.contents = order.work().map(Work::contents).unwrap_or_default().into_keys().collect();
        self.stage = Stage::Working;
    }

    /// To be called before a yes is sent: the commit point.
    pub fn commits(&mut self) {
        self.stage = Stage::Committed;
    }

    /// The version that both sides speak, for `Down::Speak`; known from the host's first words on.
    pub fn spoken(&self) -> u32 {
        self.spoken
    }

    /// True where the last words have come.
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// Takes what was heard, and gives it back where it may be said now.
    ///
    /// # Errors
    /// It may not. Nothing after it can be trusted.
    pub fn take(&mut self, heard: Heard<Up>) -> Result<Up, Malformed> {
        let Heard::Message(up) = heard else { return Err(Malformed::Misplaced("bytes from a host")) };
        self.check(&up)?;
        Ok(up)
    }

    fn check(&mut self, up: &Up) -> Result<(), Malformed> {
        let wrong = |why| Err(Malformed::Misplaced(why));
        match (self.stage, up) {
            (Stage::Done, _) => return wrong("words after the last ones"),
            (Stage::Silent, Up::Hello(hello)) => {
                self.spoken = greeting(hello)?;
                self.stage = Stage::Greeted;
            }
            (Stage::Silent, _) => return wrong("the first words are not `hello`"),
            (_, Up::Hello(_)) => return wrong("first words twice"),
            (_, Up::Alive) => {}
            (_, Up::Done(ending)) => {
                self.ending(ending)?;
                self.stage = Stage::Done;
            }
            (Stage::Greeted, _) => return wrong("work before there was an order"),
            (_, Up::Event(event)) => self.event(event)?,
            (Stage::Working, Up::Reply(reply)) if self.order == Expected::Reply => {
                self.reply(reply)?;
                self.order = Expected::Nothing;
            }
            (_, Up::Reply(_)) => return wrong("a reply that was not asked for"),
            (Stage::Working, Up::Want(digests)) => {
                if !digests.iter().all(|digest| self.contents.remove(digest)) {
                    return wrong("wants contents that the catalog does not name, or wants them twice");
                }
            }
            (Stage::Working, Up::Question) if self.order == Expected::Run && self.is_planned => {
                self.stage = Stage::Asked;
            }
            (Stage::Working, Up::Question) => {
                return wrong("a question without a plan that could be carried out");
            }
            (_, Up::Want(_) | Up::Question) => return wrong("wants or asks something after the question"),
        }
        Ok(())
    }

    /// Each check that was asked for has a result, in its order, and nothing else is one.
    fn reply(&mut self, reply: &Reply) -> Result<(), Malformed> {
        match (reply, &self.checks) {
            (Reply::Checks(results), Some(names))
                if results.iter().map(|result| &result.name).eq(names.iter()) =>
            {
                self.is_passed = results.iter().all(|result| result.end == CheckEnd::Passed);
                Ok(())
            }
            (Reply::Checks(_), _) => Err(Malformed::Misplaced("results of other checks than were asked for")),
            (_, Some(_)) => Err(Malformed::Misplaced("a reply that is none to checks")),
            (_, None) => Ok(()),
        }
    }

    fn event(&mut self, Event { seq, body, .. }: &Event) -> Result<(), Malformed> {
        if self.next.is_some_and(|next| next != *seq) {
            return Err(Malformed::Misplaced("an event of a run twice, or one is missing"));
        }
        self.next = self.next.map(|next| next.saturating_add(1));
        if self.report.is_some() && !(self.order == Expected::Watched && settles(body)) {
            return Err(Malformed::Misplaced("an event after the report"));
        }
        match body {
            EventBody::Plan(_) => self.is_planned = true,
            EventBody::Report(report) => self.report = Some(report.clone()),
            EventBody::Started { .. }
                if self.stage != Stage::Committed
                    && !matches!(self.order, Expected::Rehearsal | Expected::Watched) =>
            {
                return Err(Malformed::Misplaced("a run begins that nobody said yes to"));
            }
            _ => {}
        }
        Ok(())
    }

    /// A host may decline what it was told yes to: its patience ended while the yes was on its way.
    fn ending(&self, ending: &Ending) -> Result<(), Malformed> {
        match ending {
            Ending::Changed | Ending::Reverted
                if self.stage != Stage::Committed && self.order != Expected::Watched =>
            {
                Err(Malformed::Misplaced("a host was changed that nobody said yes to"))
            }
            Ending::Unchanged if self.checks.is_some() && !self.is_passed => {
                Err(Malformed::Misplaced("an end that its checks gainsay"))
            }
            Ending::Unchanged if self.order == Expected::Reply => {
                Err(Malformed::Misplaced("an end without the reply that was asked for"))
            }
            ending if self.report.as_ref().is_some_and(|report| gainsays(report, ending)) => {
                Err(Malformed::Misplaced("an end that its report gainsays"))
            }
            _ => Ok(()),
        }
    }
}

/// True where a report says that it ended worse than `ending` does. Of a plan what cannot be known counts as unknown, and what is locked as
/// skipped.
fn gainsays(report: &Report, ending: &Ending) -> bool {
    match ending {
        Ending::Unchanged => !report.is_converged() || report.changed > 0,
        Ending::Changed => !report.is_converged(),
        Ending::Pending => report.failed > 0,
        Ending::Declined | Ending::Locked | Ending::Reverted | Ending::Failed | Ending::Refused(_) => false,
    }
}

/// True for what may follow the report of a run that waited to be confirmed.
fn settles(body: &EventBody) -> bool {
    matches!(body, EventBody::Confirmed { .. } | EventBody::Reverted { .. } | EventBody::Error { .. })
}

/// The version in common.
fn greeting(hello: &Hello) -> Result<u32, Malformed> {
    let theirs = hello.protocol;
    let spoken = common(VERSION, theirs).ok_or(Malformed::Version { ours: VERSION, theirs })?;
    let size = serde_json::to_vec(hello).map_err(|error| Malformed::message(&error))?.len();
    if size > LONGEST_HELLO {
        return Err(Malformed::Much { what: "the first words", most: LONGEST_HELLO as u64 });
    }
    Ok(spoken)
}
