//! Several hosts for people: one line of status while they are at work, a line where a host ends otherwise than as it is to be,
//! and at the end what happened, once for all hosts where it was the same. What a host has shown is dropped when it ends.

use super::color::{paint, wanted};
use super::diagnostics::Color;
use super::group::{Groups, Sum};
use super::out::{Screen, inert, inset};
use super::settled::{self, Settled};
use super::show::{Manner, Show, Sorted};
use super::told::Told;
use super::words::{counted, doing, turn};
use super::{drift, history, kept, names, one, plan, rehearsal, words, wrong};
use crate::exit::Class;
use fleet::{End, Stage, Trouble};
use model::{Diagnostic, Event, EventBody, Facts, Plan, Report, Severity};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use wire::{Ending, Reply};

/// Watches the work on several hosts.
pub struct Many {
    names: Vec<String>,
    manner: Manner,
    screen: Box<dyn Screen>,
    color: Color,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    hosts: BTreeMap<String, Host>,
    done: usize,
    /// Plans that are still needed, each once.
    plans: Vec<Arc<Plan>>,
    groups: Groups,
    notes: Told<String>,
    wrong: Told<Vec<Diagnostic>>,
}

/// A host at work.
#[derive(Default)]
struct Host {
    plan: Arc<Plan>,
    settled: usize,
    /// What is to be shown of it.
    text: String,
    report: Option<Report>,
    /// That its run was undone.
    undone: Option<String>,
    /// Why its work came to nothing.
    error: Option<String>,
}

/// More text than this of one host is left out, in bytes: a host can say what it likes for as long as it likes.
const MOST: usize = 256 << 10;

impl Host {
    fn say(&mut self, text: &str) {
        if text.is_empty() || self.text.len() >= MOST {
            return;
        }
        let room = MOST - self.text.len();
        let end = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        self.text.push_str(text.get(..end).unwrap_or_default());
        self.text.push_str(if end < text.len() { "\n… the rest is left out\n" } else { "\n" });
    }
}

impl Many {
    /// Nothing seen yet of the hosts.
    pub fn new(names: &[String], manner: Manner, screen: Box<dyn Screen>) -> Self {
        let color = wanted(&std::io::stdout());
        Self { names: names.to_vec(), manner, screen, color, seen: Mutex::default() }
    }

    fn with(&self, act: impl FnOnce(&mut Seen)) {
        act(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn status(&self, seen: &Seen, host: &str, what: &str) {
        self.screen.status(&format!("{} of {} done; {host}: {what}", seen.done, self.names.len()));
    }

    fn plan(&self, seen: &mut Seen, host: &str, found: &Plan) {
        seen.plans.retain(|one| Arc::strong_count(one) > 1);
        let known = seen.plans.iter().find(|one| ***one == *found).cloned();
        let shared = known.unwrap_or_else(|| Arc::new(found.clone()));
        seen.plans.push(Arc::clone(&shared));
        let host = seen.hosts.entry(host.to_owned()).or_default();
        match self.manner {
            Manner::Forecast => host.say(&plan::render(found, self.color)),
            Manner::Straight if !found.is_empty() => host.say(&plan::render_staying(found, self.color)),
            Manner::Straight | Manner::Asked | Manner::Rehearsal | Manner::Answer => {}
        }
        host.plan = shared;
    }

    fn see(&self, seen: &mut Seen, name: &str, body: &EventBody) {
        if let EventBody::Plan(plan) = body {
            return self.plan(seen, name, plan);
        }
        let host = seen.hosts.entry(name.to_owned()).or_default();
        match body {
            EventBody::Working { id } => {
                let what = format!("{id} ({} of {})", host.settled + 1, plan::to_do(&host.plan));
                self.status(seen, name, &what);
            }
            EventBody::Node { .. } => {
                let node = Settled::of(body).map(Settled::timeless);
                let text = node.map(|node| node.lines(self.manner, &host.plan, self.color));
                let text = text.unwrap_or_default();
                host.say(&text);
                host.settled += usize::from(!text.is_empty());
            }
            EventBody::Note { text } => seen.notes.tell(inset(text), name),
            EventBody::Error { text } => {
                self.screen.note(&format!("error: {name}: {}", inset(text)));
                host.error = Some(text.clone());
            }
            EventBody::Reverted { run, because } => host.undone = Some(words::undone(run, because)),
            EventBody::Rehearsal(found) => host.say(rehearsal::render(found).trim()),
            EventBody::Report(report) => host.report = Some(report.clone()),
            EventBody::Plan(_) | EventBody::Started { .. } => {}
            EventBody::Waiting { .. }
            | EventBody::Armed { .. }
            | EventBody::Confirmed { .. }
            | EventBody::Rebooting { .. }
            | EventBody::Resumed { .. } => {
                self.screen.note(&format!("{name}: {}", inset(&turn(body).unwrap_or_default())));
            }
        }
    }

    /// What sums up a host; none where its own lines say it all.
    fn sum(&self, host: &Host, class: Class) -> Option<Sum> {
        let report = host.report.as_ref().filter(|report| host.error.is_none() || report.run.is_some())?;
        if class == Class::Reverted {
            return Some(Sum::undone());
        }
        (class != Class::Unchanged)
            .then(|| Sum::of(self.manner, report, settled::report(self.manner, report, &host.plan)))
    }

    /// A line about a host that ended otherwise than as it is to be, at once.
    fn tell_end(&self, name: &str, host: &Host, end: &End) {
        let class = Class::of(end);
        match (end, self.sum(host, class)) {
            // That so many were not begun is said once, at the end.
            (End::Trouble(Trouble::NotTried), _) => {}
            (End::Trouble(trouble), _) => self.screen.note(&format!(
                "{}: {name}: {}",
                words::trouble(trouble),
                inert(&trouble.to_string())
            )),
            (End::Refused(why), _) => self.screen.note(&format!("error: {name}: {}", inert(why))),
            (End::Ended(Ending::Refused(failure)), _) => {
                self.screen.note(&format!("error: {name}: {}", inset(&failure.to_string())))
            }
            (End::Ended(Ending::Reverted), _) => {
                let text = host.undone.clone().unwrap_or_else(|| "what was done was undone".to_owned());
                let text = format!("! {name}: {}", inset(&text));
                self.screen.line(&paint(&text, '!', self.color));
            }
            (_, Some(sum)) if !matches!(self.manner, Manner::Forecast | Manner::Rehearsal) => {
                let run = host.report.as_ref().and_then(|report| report.run.as_deref());
                let run = run.map_or_else(String::new, |run| format!("run {}: ", inset(run)));
                self.screen.line(&format!("{name}: {run}{}", sum.one));
            }
            _ => {}
        }
    }

    /// What several hosts have in common, where it is told once: notes, and what is wrong with the input.
    fn flush(&self, seen: &mut Seen) {
        for (text, hosts) in seen.notes.take() {
            self.screen.note(&format!("note: {}: {text}", names::folded(&self.ordered(hosts))));
        }
        for (found, hosts) in seen.wrong.take() {
            self.screen.note(&wrong::text(&found));
            let is_wrong = found.iter().any(|one| one.severity == Severity::Error);
            let so = if is_wrong { ", where nothing was done" } else { "" };
            self.screen.note(&format!("for {}{so}\n", names::folded(&self.ordered(hosts))));
        }
    }

    /// In the order in which they were meant.
    fn ordered(&self, mut hosts: Vec<String>) -> Vec<String> {
        hosts.sort_by_key(|host| self.names.iter().position(|name| name == host));
        hosts
    }

    /// What a class is called here: a plan has changed nothing.
    fn word(&self, class: Class) -> &'static str {
        match (class, self.manner) {
            (Class::Changed, Manner::Forecast | Manner::Rehearsal) => "to change",
            (Class::Changed, Manner::Answer) => "drifted",
            _ => class.word(),
        }
    }

    /// A line for each class with its hosts.
    fn classes(&self, sorted: &Sorted) {
        for (class, hosts) in sorted {
            self.screen.line(&format!("{:<11}  {}", self.word(*class), names::folded(hosts)));
        }
    }

    fn print(&self, groups: Groups) {
        let place = |name: &String| self.names.iter().position(|other| other == name);
        let text = groups.render(&place);
        if !text.is_empty() {
            self.screen.line(text.strip_suffix('\n').unwrap_or(&text));
        }
    }
}

impl Show for Many {
    fn stage(&self, host: &str, stage: Stage) {
        self.with(|seen| self.status(seen, host, doing(stage)));
    }

    fn facts(&self, host: &str, facts: &Facts) {
        self.with(|seen| seen.hosts.entry(host.to_owned()).or_default().say(&one::facts_text(facts)));
    }

    fn event(&self, host: &str, event: &Event) {
        self.with(|seen| self.see(seen, host, &event.body));
    }

    fn reply(&self, name: &str, reply: &Reply) {
        self.with(|seen| {
            let host = seen.hosts.entry(name.to_owned()).or_default();
            match reply {
                Reply::History(runs) => history::list(runs).iter().for_each(|text| host.say(text)),
                // They have a view of their own, or none.
                Reply::Checks(_) | Reply::Drill(_) | Reply::Settings(_) => {}
                Reply::Drift(found) => host.say(&drift::render(found, self.color)),
                Reply::Keeping(keeping) => {
                    kept::lines(keeping).iter().for_each(|text| host.say(&inset(text)))
                }
                Reply::Locks(locks) => locks.iter().for_each(|lock| host.say(&inset(&words::lock(lock)))),
                Reply::Run { status, damage, after } => {
                    history::one(status, after).iter().for_each(|text| host.say(text));
                    if let Some(text) = damage {
                        self.screen.note(&format!("error: {name}: {}", inset(text)));
                    }
                }
            }
        });
    }

    fn note(&self, host: &str, text: &str) {
        self.with(|seen| {
            self.status(seen, host, text);
            seen.notes.tell(inert(text), host);
        });
    }

    fn wrong(&self, host: &str, found: &[Diagnostic]) {
        if !found.is_empty() {
            self.with(|seen| seen.wrong.tell(found.to_vec(), host));
        }
    }

    fn ended(&self, name: &str, end: &End, _: u64) {
        self.with(|seen| {
            let host = seen.hosts.remove(name).unwrap_or_default();
            seen.done += 1;
            // What is wrong with the input is told once for all hosts that have it.
            if !(matches!(end, End::Refused(_)) && seen.wrong.is_about(name)) {
                self.tell_end(name, &host, end);
            }
            let sum = self.sum(&host, Class::of(end)).unwrap_or_default();
            seen.groups.add(name, sum, host.text);
            seen.plans.retain(|one| Arc::strong_count(one) > 1);
        });
    }

    fn before_question(&self, waiting: &[String], ended: &Sorted) {
        self.with(|seen| {
            self.flush(seen);
            let mut groups = Groups::default();
            for (name, host) in waiting.iter().filter_map(|name| Some((name, seen.hosts.get(name)?))) {
                let foreseen = host.plan.foreseen();
                let text = plan::sum(&foreseen, plan::staying(&host.plan));
                groups.add(
                    name,
                    Sum::of(Manner::Forecast, &foreseen, text),
                    plan::render(&host.plan, self.color),
                );
            }
            self.print(groups);
            self.classes(ended);
        });
    }

    fn finish(&self, sorted: &Sorted) {
        self.with(|seen| {
            self.flush(seen);
            self.print(std::mem::take(&mut seen.groups));
            let is_dull = |class: &Class| *class == Class::Unchanged;
            if self.manner == Manner::Answer && sorted.keys().all(is_dull) {
                return;
            }
            self.classes(sorted);
            let counts = sorted.iter().map(|(class, hosts)| format!("{} {}", hosts.len(), self.word(*class)));
            let counts = counts.collect::<Vec<_>>().join(", ");
            self.screen.line(&format!("{}: {counts}", counted(self.names.len(), "host")));
        });
    }
}

#[cfg(test)]
mod tests;
