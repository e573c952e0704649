//! Runs: the list of them, and one of them op by op. Lines as text; they are printed elsewhere.

use super::out::inset;
use super::settled::sum;
use model::{Outcome, RunSummary, Status};
use serde_json::json;

/// The runs, the last one first, a line each.
pub fn list(runs: &[RunSummary]) -> Vec<String> {
    if runs.is_empty() {
        return vec!["no runs yet".to_owned()];
    }
    let line = |run: &RunSummary| {
        let begin = &run.begin;
        let end = run.end.as_ref().map_or_else(|| "cut off, or under way".to_owned(), sum);
        let reboots = match run.reboots {
            0 => String::new(),
            1 => "  went on after a reboot".to_owned(),
            count => format!("  went on after {count} reboots"),
        };
        inset(&format!("{:>6}  {}  {}  {end}{reboots}", begin.run, begin.at, begin.command))
    };
    runs.iter().map(line).collect()
}

/// The same for programs.
pub fn list_json(runs: &[RunSummary]) -> Vec<String> {
    let line = |run: &RunSummary| {
        let begin = &run.begin;
        json!({
            "event": "run", "run": begin.run, "at": begin.at, "command": begin.command,
            "undoes": begin.undoes, "ops": run.done, "reboots": run.reboots, "report": run.end,
        })
        .to_string()
    };
    runs.iter().map(line).collect()
}

/// One run.
pub fn one(status: &Status) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(begin) = &status.begin {
        lines.push(inset(&format!("run {} of {}: {}", begin.run, begin.at, begin.command)));
    }
    for resumed in &status.resumed {
        let text = format!("  went on at {} after a reboot, boot {}", resumed.at, resumed.boot);
        lines.push(inset(&text));
    }
    for (seq, act) in &status.acts {
        let nodes = act.nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let outcome = word(&act.outcome);
        lines.push(inset(&format!("  {seq:>4}  {outcome:<7}  {}  for {nodes}", act.op)));
        if let Outcome::Failed(because, _) = &act.outcome {
            lines.push(format!("                 {}", inset(because)));
        }
    }
    let owed = status.owed.iter();
    lines.extend(owed.map(|owed| {
        inset(&format!("  owed: {} is to be refreshed, because {} changed", owed.to, owed.from))
    }));
    lines.extend(status.end.as_ref().map(sum));
    lines
}

/// The same for programs.
pub fn one_json(status: &Status) -> Vec<String> {
    let acts = status.acts.iter().map(|(seq, act)| {
        json!({
            "event": "op", "seq": seq, "outcome": word(&act.outcome), "nodes": act.nodes,
            "op": act.op.to_string(),
        })
    });
    let owed = status.owed.iter().map(|owed| json!({ "event": "owed", "from": owed.from, "to": owed.to }));
    let resumed = status.resumed.iter();
    let resumed = resumed.map(|it| json!({ "event": "resumed", "at": it.at, "boot": it.boot }));
    resumed.chain(acts).chain(owed).map(|line| line.to_string()).collect()
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(..) => "done",
        Outcome::Failed(..) => "failed",
        Outcome::Open => "cut off",
    }
}
