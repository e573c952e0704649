//! Events as they happen: a JSON line each, or lines for people where there is something to say. Nothing is said twice: what a
//! plan has shown, the run only ticks off.

use super::color::wanted;
use super::diagnostics::Color;
use super::lines::{Lines, step_line};
use super::out::{inert, line, note};
use super::planned::planned;
use super::progress::Progress;
use super::{plan, rehearsal};
use crate::format::Format;
use model::{Event, EventBody, Id, NodeStatus, Origin, Plan, Report};
use std::sync::{Mutex, PoisonError};

/// What people are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// A plan, and nothing is done.
    Forecast,
    /// A plan, a question, then a line a resource.
    Asked,
    /// No question: each resource in full when it is settled.
    Straight,
    /// A line a resource; what comes of it is told at the end.
    Rehearsal,
}

/// Watches one piece of work.
pub struct Watch {
    format: Format,
    manner: Manner,
    color: Color,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    plan: Plan,
    /// It has been said why the work came to nothing.
    given_up: bool,
    progress: Progress,
}

/// A settled node, as its event has it.
struct Settled<'a> {
    id: &'a Id,
    origin: Option<&'a Origin>,
    status: NodeStatus,
    changes: &'a [String],
    because: &'a str,
    millis: u64,
}

impl Watch {
    /// Nothing seen yet.
    pub fn new(format: Format, manner: Manner) -> Self {
        Self { format, manner, color: wanted(&std::io::stdout()), seen: Mutex::default() }
    }

    /// Shows one event.
    pub fn see(&self, event: &Event) {
        match self.format {
            Format::Json => match serde_json::to_string(event) {
                Ok(text) => line(&text),
                Err(error) => note(&format!("an event cannot be shown: {error}")),
            },
            Format::Human => self.human(&event.body),
        }
    }

    fn human(&self, body: &EventBody) {
        let seen = &mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match body {
            EventBody::Plan(plan) => {
                self.show_plan(plan);
                seen.progress.expect(plan.nodes.len());
                seen.plan = plan.clone();
            }
            EventBody::Started { .. } => {
                if self.manner == Manner::Asked {
                    line("");
                }
            }
            EventBody::Working { id } => seen.progress.working(&id.to_string()),
            EventBody::Node { id, origin, status, changes, because, millis } => {
                seen.progress.clear();
                let origin = origin.as_ref();
                let node = Settled { id, origin, status: *status, changes, because, millis: *millis };
                say(&self.node(&node, &seen.plan));
                seen.progress.settled();
            }
            EventBody::Note { text } => {
                seen.progress.clear();
                note(&format!("note: {}", inert(text)));
            }
            EventBody::Error { text } => {
                seen.progress.clear();
                seen.given_up = true;
                note(&format!("error: {}", inert(text)));
            }
            EventBody::Rehearsal(found) => {
                seen.progress.clear();
                say(rehearsal::render(found).trim_end());
            }
            EventBody::Report(report) => {
                seen.progress.clear();
                // Where nothing was done there is nothing to sum up.
                if seen.given_up && report.run.is_none() {
                    return;
                }
                say(&self.report(report, &seen.plan));
            }
        }
    }

    fn show_plan(&self, found: &Plan) {
        match self.manner {
            Manner::Forecast => say(&plan::render(found, self.color)),
            // A host that is as it is to be has one line, the last.
            _ if found.is_empty() => {}
            Manner::Asked => {
                say(&plan::render(found, self.color));
                say(&plan::sum(&found.foreseen(), plan::staying(found)));
            }
            Manner::Rehearsal => {}
            Manner::Straight => say(&plan::render_staying(found, self.color)),
        }
    }

    /// The lines of a settled node; none where it stays as it is.
    fn node(&self, node: &Settled<'_>, found: &Plan) -> String {
        let planned = planned(found, node.id, node.changes);
        let mark = match node.status {
            NodeStatus::Unchanged | NodeStatus::LeftOut => return String::new(),
            NodeStatus::Changed => planned.sign,
            NodeStatus::Refreshed => '>',
            NodeStatus::Failed | NodeStatus::Skipped => '!',
            NodeStatus::Unknown => '?',
        };
        // What was provisional in the plan is certain now.
        let mark =
            if node.status == NodeStatus::Changed && matches!(mark, '?' | '!' | '>') { '~' } else { mark };
        let time = if node.millis >= 1000 {
            format!("  ({}.{} s)", node.millis / 1000, node.millis % 1000 / 100)
        } else {
            String::new()
        };
        let mut lines = Lines::new(self.color);
        lines.head(mark, &format!("{}{}{time}", node.id, word(node.status)));
        match (self.manner, planned.exact) {
            (Manner::Straight, true) => {
                planned.steps.into_iter().for_each(|step| lines.below(&step_line(step)));
                plan::texts(planned.texts, &mut lines);
            }
            (_, true) => {}
            (_, false) => node.changes.iter().for_each(|change| lines.below(change)),
        }
        lines.below(node.because);
        if let (NodeStatus::Failed | NodeStatus::Unknown, Some(origin)) = (node.status, node.origin) {
            lines.below(&format!("declared at {origin}"));
        }
        lines.finish()
    }

    fn report(&self, report: &Report, found: &Plan) -> String {
        match self.manner {
            Manner::Forecast => plan::sum(report, plan::staying(found)),
            _ if report.run.is_none() && report.changed == 0 && report.is_converged() => {
                plan::as_desired(report.unchanged, plan::staying(found))
            }
            Manner::Rehearsal => sum(report),
            _ => report.run.iter().map(|run| format!("run {run}: ")).chain([sum(report)]).collect(),
        }
    }
}

fn say(text: &str) {
    if !text.is_empty() {
        line(text);
    }
}

/// A sign says what happened, save where two share one.
fn word(status: NodeStatus) -> &'static str {
    match status {
        NodeStatus::Failed => " failed",
        NodeStatus::Skipped => " skipped",
        NodeStatus::Unknown => ": its state could not be told",
        NodeStatus::Refreshed => " refreshed",
        NodeStatus::Unchanged | NodeStatus::LeftOut | NodeStatus::Changed => "",
    }
}

/// The last line of a run.
pub fn sum(report: &Report) -> String {
    let Report { changed, unchanged, failed, skipped, unknown, .. } = report;
    if *changed + failed + skipped + unknown == 0 {
        return plan::as_desired(*unchanged, 0);
    }
    let parts = [
        (changed, "changed"),
        (failed, "failed"),
        (skipped, "skipped"),
        (unknown, "unknown"),
        (unchanged, "unchanged"),
    ];
    let said = parts.iter().filter(|(count, _)| **count > 0).map(|(count, word)| format!("{count} {word}"));
    said.collect::<Vec<_>>().join(", ")
}
