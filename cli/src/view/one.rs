//! One machine for people: its events as they happen, where there is something to say.

use super::color::{paint, wanted};
use super::diagnostics::Color;
use super::out::{inert, inset, line, note, status};
use super::settled::{self, Settled};
use super::show::{Manner, Show, Sorted};
use super::words::{doing, turn};
use super::{drift, history, kept, plan, rehearsal, words, wrong};
use crate::format::Format;
use fleet::{End, Stage};
use model::{Diagnostic, Event, EventBody, Facts, Plan, Report};
use std::sync::{Mutex, PoisonError};
use wire::{Ending, Reply};

/// Watches the work on one machine.
pub struct One {
    /// Its name, said with what sums up the work; none for the machine we are on.
    name: Option<String>,
    manner: Manner,
    color: Color,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    plan: Plan,
    /// It has been said why the work came to nothing.
    given_up: bool,
    settled: usize,
}

impl One {
    /// Nothing seen yet.
    pub fn new(name: Option<String>, manner: Manner) -> Self {
        Self { name, manner, color: wanted(&std::io::stdout()), seen: Mutex::default() }
    }

    fn see(&self, body: &EventBody) {
        let seen = &mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match body {
            EventBody::Plan(plan) => {
                self.show_plan(plan);
                seen.plan = plan.clone();
            }
            EventBody::Started { .. } => {
                if self.manner == Manner::Asked {
                    line("");
                }
            }
            EventBody::Working { id } => {
                if !seen.plan.nodes.is_empty() {
                    let of = plan::to_do(&seen.plan);
                    status(&self.named(&format!("{} of {of}: {id}", seen.settled + 1)));
                }
            }
            EventBody::Node { .. } => {
                let node = Settled::of(body);
                let text = node.map(|node| node.lines(self.manner, &seen.plan, self.color));
                let text = text.unwrap_or_default();
                say(&text);
                // What stays as it is was not in the plan either.
                seen.settled += usize::from(!text.is_empty());
            }
            EventBody::Waiting { .. }
            | EventBody::Armed { .. }
            | EventBody::Confirmed { .. }
            | EventBody::Rebooting { .. }
            | EventBody::Resumed { .. } => {
                note(&format!("note: {}", self.named(&inert(&turn(body).unwrap_or_default()))));
            }
            EventBody::Reverted { run, because } => {
                let text = format!("! {}", self.named(&inset(&words::undone(run, because))));
                line(&paint(&text, '!', self.color));
            }
            EventBody::Note { text } => note(&format!("note: {}", self.named(&inert(text)))),
            EventBody::Error { text } => {
                seen.given_up = true;
                note(&format!("error: {}", self.named(&inert(text))));
            }
            EventBody::Rehearsal(found) => say(rehearsal::render(found).trim_end()),
            // Where nothing was done there is nothing to sum up.
            EventBody::Report(report) if seen.given_up && report.run.is_none() => {}
            EventBody::Report(report) => say(&self.named(&self.report(report, &seen.plan))),
        }
    }

    fn show_plan(&self, found: &Plan) {
        match self.manner {
            Manner::Forecast => say(&plan::render(found, self.color)),
            // A host that is as it is to be has one line, the last.
            _ if found.is_empty() => {}
            Manner::Asked => {
                say(&plan::render(found, self.color));
                say(&self.named(&plan::sum(&found.foreseen(), plan::staying(found))));
            }
            Manner::Rehearsal | Manner::Answer => {}
            Manner::Straight => say(&plan::render_staying(found, self.color)),
        }
    }

    fn report(&self, report: &Report, found: &Plan) -> String {
        let sum = settled::report(self.manner, report, found);
        match &report.run {
            Some(run) if self.manner != Manner::Rehearsal => format!("run {}: {sum}", inert(run)),
            _ => sum,
        }
    }

    fn named(&self, text: &str) -> String {
        self.name.iter().map(|name| format!("{name}: ")).chain([text.to_owned()]).collect()
    }
}

impl Show for One {
    fn stage(&self, host: &str, stage: Stage) {
        status(&format!("{host}: {}", doing(stage)));
    }

    fn facts(&self, _: &str, facts: &Facts) {
        line(&facts_text(facts));
    }

    fn event(&self, _: &str, event: &Event) {
        self.see(&event.body);
    }

    fn reply(&self, _: &str, reply: &Reply) {
        match reply {
            Reply::History(runs) => history::list(runs).iter().for_each(|text| line(text)),
            // They have a view of their own, or none.
            Reply::Checks(_) | Reply::Drill(_) | Reply::Settings(_) => {}
            Reply::Drift(found) => say(&drift::render(found, self.color)),
            Reply::Keeping(keeping) => kept::lines(keeping).iter().for_each(|text| line(&inert(text))),
            Reply::Locks(locks) => locks.iter().for_each(|lock| line(&inert(&words::lock(lock)))),
            Reply::Run { status, damage, after } => {
                history::one(status, after).iter().for_each(|text| line(text));
                if let Some(text) = damage {
                    note(&format!("error: {}", self.named(&inert(text))));
                }
            }
        }
    }

    fn note(&self, _: &str, text: &str) {
        note(&self.named(&inert(text)));
    }

    fn wrong(&self, _: &str, found: &[Diagnostic]) {
        wrong::show(found, Format::Human);
    }

    fn ended(&self, _: &str, end: &End, _: u64) {
        let (word, text) = match end {
            End::Ended(Ending::Refused(failure)) => ("error", failure.to_string()),
            End::Ended(_) => return,
            End::Trouble(trouble) => (words::trouble(trouble), trouble.to_string()),
            End::Refused(why) => ("error", why.clone()),
        };
        note(&format!("{word}: {}", self.named(&inert(&text))));
    }

    fn before_question(&self, _: &[String], _: &Sorted) {}

    fn finish(&self, _: &Sorted) {}
}

fn say(text: &str) {
    if !text.is_empty() {
        line(text);
    }
}

/// Facts for people: JSON, a line a fact.
pub fn facts_text(facts: &Facts) -> String {
    match serde_json::to_string_pretty(facts) {
        Ok(text) => inert(&text),
        Err(error) => format!("facts cannot be shown: {error}"),
    }
}
