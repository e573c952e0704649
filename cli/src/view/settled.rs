//! A settled resource and the sum of a run, as lines for people. Nothing is said twice: what a plan has shown, the run only
//! ticks off. Prints nothing.

use super::diagnostics::Color;
use super::lines::{Lines, step_line};
use super::plan;
use super::planned::planned;
use super::show::Manner;
use model::{EventBody, Id, NodeStatus, Origin, Plan, Report};

/// A settled node, as its event has it.
pub struct Settled<'a> {
    id: &'a Id,
    origin: Option<&'a Origin>,
    status: NodeStatus,
    changes: &'a [String],
    because: &'a str,
    millis: u64,
}

impl<'a> Settled<'a> {
    /// Of the event of a node; none of others.
    pub fn of(body: &'a EventBody) -> Option<Self> {
        let EventBody::Node { id, origin, status, changes, because, millis } = body else { return None };
        let (status, millis) = (*status, *millis);
        Some(Self { id, origin: origin.as_ref(), status, changes, because, millis })
    }

    /// The same without how long it took: two hosts hardly ever take equally long.
    pub fn timeless(self) -> Self {
        Self { millis: 0, ..self }
    }

    /// Its lines; none where it stays as it is.
    pub fn lines(&self, manner: Manner, found: &Plan, color: Color) -> String {
        let planned = planned(found, self.id, self.changes);
        let mark = match self.status {
            NodeStatus::Unchanged | NodeStatus::LeftOut => return String::new(),
            NodeStatus::Changed => planned.sign,
            NodeStatus::Refreshed => '>',
            NodeStatus::Failed | NodeStatus::Skipped => '!',
            NodeStatus::Unknown => '?',
        };
        // What was provisional in the plan is certain now.
        let mark =
            if self.status == NodeStatus::Changed && matches!(mark, '?' | '!' | '>') { '~' } else { mark };
        let time = if self.millis >= 1000 {
            format!("  ({}.{} s)", self.millis / 1000, self.millis % 1000 / 100)
        } else {
            String::new()
        };
        let mut lines = Lines::new(color);
        lines.head(mark, &format!("{}{}{time}", self.id, word(self.status)));
        match (manner, planned.exact) {
            (Manner::Straight, true) => {
                planned.steps.into_iter().for_each(|step| lines.below(&step_line(step)));
                plan::texts(planned.texts, &mut lines);
            }
            (_, true) => {}
            (_, false) => self.changes.iter().for_each(|change| lines.below(change)),
        }
        lines.below(self.because);
        if let (NodeStatus::Failed | NodeStatus::Unknown, Some(origin)) = (self.status, self.origin) {
            lines.below(&format!("declared at {origin}"));
        }
        lines.finish()
    }
}

/// The last line of work, without the name of the run.
pub fn report(manner: Manner, report: &Report, found: &Plan) -> String {
    match manner {
        Manner::Forecast => plan::sum(report, plan::staying(found)),
        _ if report.run.is_none() && report.changed == 0 && report.is_converged() => {
            plan::as_desired(report.unchanged, plan::staying(found))
        }
        _ => sum(report),
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
    let what = format!("changed{}", plan::of_them(report));
    let parts = [
        (changed, what.as_str()),
        (failed, "failed"),
        (skipped, "skipped"),
        (unknown, "unknown"),
        (unchanged, "unchanged"),
    ];
    let said = parts.iter().filter(|(count, _)| **count > 0).map(|(count, word)| format!("{count} {word}"));
    said.collect::<Vec<_>>().join(", ")
}
