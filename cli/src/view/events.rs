//! Events as they happen: a JSON line each, or a line for people where there is something to say.

use super::out::{inert, line, note};
use super::{plan, rehearsal};
use crate::args::Format;
use model::{Event, EventBody, NodeStatus, Report};

/// Shows one event.
pub fn show(event: &Event, format: Format) {
    match format {
        Format::Json => match serde_json::to_string(event) {
            Ok(text) => line(&text),
            Err(error) => note(&format!("an event cannot be shown: {error}")),
        },
        Format::Human => human(&event.body),
    }
}

fn human(body: &EventBody) {
    match body {
        EventBody::Plan(plan) if plan.is_empty() => {}
        EventBody::Plan(plan) => line(plan::human(plan).trim_end()),
        EventBody::Started { run } => line(&format!("\nrun {run}")),
        EventBody::Working { .. } => {}
        EventBody::Node { id, origin, status, changes, because, millis } => {
            let Some(word) = word(*status) else { return };
            let time = if *millis >= 1000 {
                format!("  ({}.{} s)", millis / 1000, millis % 1000 / 100)
            } else {
                String::new()
            };
            line(&format!("{word} {}{time}", inert(&id.to_string())));
            changes.iter().for_each(|change| line(&format!("      {}", inert(change))));
            if !because.is_empty() {
                line(&format!("      {}", inert(because)));
            }
            if let (NodeStatus::Failed | NodeStatus::Unknown, Some(origin)) = (status, origin) {
                line(&format!("      declared at {origin}"));
            }
        }
        EventBody::Note { text } => note(&format!("note: {}", inert(text))),
        EventBody::Rehearsal(found) => line(rehearsal::render(found).trim_end()),
        EventBody::Report(report) => line(&sum(report)),
    }
}

/// Nothing is said of what stays as it is.
fn word(status: NodeStatus) -> Option<&'static str> {
    match status {
        NodeStatus::Unchanged | NodeStatus::LeftOut => None,
        NodeStatus::Changed => Some("  changed  "),
        NodeStatus::Refreshed => Some("  refreshed"),
        NodeStatus::Failed => Some("  FAILED   "),
        NodeStatus::Skipped => Some("  skipped  "),
        NodeStatus::Unknown => Some("  UNKNOWN  "),
    }
}

/// The last line.
pub fn sum(report: &Report) -> String {
    let Report { changed, unchanged, failed, skipped, unknown, .. } = report;
    if *changed + failed + skipped + unknown == 0 {
        return format!("as desired: {unchanged} unchanged");
    }
    let mut parts = vec![format!("{changed} changed"), format!("{unchanged} unchanged")];
    for (count, word) in [(failed, "failed"), (skipped, "skipped"), (unknown, "unknown")] {
        if *count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    parts.join(", ")
}
