//! Runs: the list of them, and one of them op by op.

use super::events::sum;
use super::out::{inert, line};
use crate::format::Format;
use model::{Outcome, RunSummary, Status};

/// Lists runs, the last one first.
pub fn list(runs: &[RunSummary], format: Format) {
    if runs.is_empty() && format == Format::Human {
        line("no runs yet");
    }
    for run in runs {
        let begin = &run.begin;
        line(&match format {
            Format::Human => {
                let end = run.end.as_ref().map_or_else(|| "cut off, or under way".to_owned(), sum);
                inert(&format!("{:>6}  {}  {}  {end}", begin.run, begin.at, begin.command))
            }
            Format::Json => serde_json::json!({
                "event": "run", "run": begin.run, "at": begin.at, "command": begin.command,
                "undoes": begin.undoes, "ops": run.done, "report": run.end,
            })
            .to_string(),
        });
    }
}

/// Shows one run.
pub fn one(status: &Status, format: Format) {
    if let (Some(begin), Format::Human) = (&status.begin, format) {
        line(&inert(&format!("run {} of {}: {}", begin.run, begin.at, begin.command)));
    }
    for (seq, act) in &status.acts {
        let outcome = match &act.outcome {
            Outcome::Done(..) => "done",
            Outcome::Failed(..) => "failed",
            Outcome::Open => "cut off",
        };
        let nodes = act.nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        line(&match format {
            Format::Human => inert(&format!("  {seq:>4}  {outcome:<7}  {}  for {nodes}", act.op)),
            Format::Json => serde_json::json!({
                "event": "op", "seq": seq, "outcome": outcome, "nodes": act.nodes, "op": act.op.to_string(),
            })
            .to_string(),
        });
        if let (Outcome::Failed(because, _), Format::Human) = (&act.outcome, format) {
            line(&format!("                 {}", inert(because)));
        }
    }
    for owed in &status.owed {
        line(&match format {
            Format::Human => {
                inert(&format!("  owed: {} is to be refreshed, because {} changed", owed.to, owed.from))
            }
            Format::Json => {
                serde_json::json!({ "event": "owed", "from": owed.from, "to": owed.to }).to_string()
            }
        });
    }
    if let (Some(report), Format::Human) = (&status.end, format) {
        line(&sum(report));
    }
}
