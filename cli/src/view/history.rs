//! Runs: the list of them, and one of them op by op. Lines as text; they are printed elsewhere.

use super::out::inset;
use super::settled::sum;
use model::{Aftermath, Outcome, RunSummary, Settled, Status};
use serde_json::{Value, json};

/// The runs, the last one first, a line each.
pub fn list(runs: &[RunSummary]) -> Vec<String> {
    if runs.is_empty() {
        return vec!["no runs yet".to_owned()];
    }
    let line = |run: &RunSummary| {
        let begin = &run.begin;
        let end = match (&run.end, &run.damage) {
            (Some(end), None) => sum(end),
            (None, None) => "cut off, or under way".to_owned(),
            (_, Some(damage)) => format!("error: {damage}"),
        };
        let reboots = match run.reboots {
            0 => String::new(),
            1 => "  went on after a reboot".to_owned(),
            count => format!("  went on after {count} reboots"),
        };
        let after = words(&run.after).map(|words| format!("  {words}")).unwrap_or_default();
        inset(&format!("{:>6}  {}  {}  {end}{reboots}{after}", begin.run, begin.at, begin.command))
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
            "damage": run.damage, "after": for_programs(&run.after),
        })
        .to_string()
    };
    runs.iter().map(line).collect()
}

/// One run.
pub fn one(status: &Status, after: &Aftermath) -> Vec<String> {
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
    lines.extend(words(after).map(|words| inset(&words)));
    lines
}

/// The same for programs.
pub fn one_json(status: &Status, after: &Aftermath) -> Vec<String> {
    let acts = status.acts.iter().map(|(seq, act)| {
        json!({
            "event": "op", "seq": seq, "outcome": word(&act.outcome), "nodes": act.nodes,
            "op": act.op.to_string(),
        })
    });
    let owed = status.owed.iter().map(|owed| json!({ "event": "owed", "from": owed.from, "to": owed.to }));
    let resumed = status.resumed.iter();
    let resumed = resumed.map(|it| json!({ "event": "resumed", "at": it.at, "boot": it.boot }));
    let after = (!after.is_nothing()).then(|| {
        let mut line = for_programs(after);
        line["event"] = json!("after");
        line
    });
    resumed.chain(acts).chain(owed).chain(after).map(|line| line.to_string()).collect()
}

/// What became of a run; `None` where nothing did.
fn words(after: &Aftermath) -> Option<String> {
    if let Some(why) = &after.unclear {
        return Some(format!("error: what became of it cannot be told: {why}"));
    }
    let by = after.undone.map(|undone| (undone.whole, format!("by run {}", undone.by)));
    Some(match (&after.settled, by) {
        (None, None) if after.waits => "waits to be confirmed".to_owned(),
        (None, None) => return None,
        (None | Some(Settled::Confirmed), Some((true, by))) => format!("rolled back {by}"),
        (None | Some(Settled::Confirmed), Some((false, by))) => format!("rolled back in part {by}"),
        (Some(Settled::Confirmed), None) => "confirmed".to_owned(),
        (Some(Settled::Reverted(because)), Some((true, by))) => format!("reverted {by}: {because}"),
        (Some(Settled::Reverted(because)), _) => format!("reverted: {because}"),
        (Some(Settled::Stuck(left)), Some((_, by))) => format!("reverted in part {by}: {left}"),
        (Some(Settled::Stuck(left)), None) => format!("not reverted: {left}"),
    })
}

/// The same for programs.
fn for_programs(after: &Aftermath) -> Value {
    let (settled, because) = match &after.settled {
        None if after.waits => (Some("waits"), None),
        None => (None, None),
        Some(Settled::Confirmed) => (Some("confirmed"), None),
        Some(Settled::Reverted(because)) => (Some("reverted"), Some(because)),
        Some(Settled::Stuck(left)) => (Some("stuck"), Some(left)),
    };
    json!({ "settled": settled, "because": because, "undone": after.undone, "unclear": after.unclear })
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(..) => "done",
        Outcome::Failed(..) => "failed",
        Outcome::Open => "cut off",
    }
}

#[cfg(test)]
mod tests {
    use super::{for_programs, list, words};
    use model::{Aftermath, Begin, RunSummary, Settled, Undone};

    #[test]
    fn what_became_of_a_run_is_said_and_by_which_run() {
        let (why, whole, part) =
            (|| "nobody".to_owned(), Undone { by: 8, whole: true }, Undone { by: 8, whole: false });
        for (settled, undone, expected) in [
            (None, None, None),
            (None, Some(whole), Some("rolled back by run 8")),
            (None, Some(part), Some("rolled back in part by run 8")),
            (Some(Settled::Confirmed), None, Some("confirmed")),
            (Some(Settled::Confirmed), Some(whole), Some("rolled back by run 8")),
            (Some(Settled::Reverted(why())), Some(whole), Some("reverted by run 8: nobody")),
            (Some(Settled::Reverted(why())), None, Some("reverted: nobody")),
            (Some(Settled::Stuck(why())), Some(part), Some("reverted in part by run 8: nobody")),
            (Some(Settled::Stuck(why())), None, Some("not reverted: nobody")),
        ] {
            let after = Aftermath { settled, undone, ..Aftermath::default() };
            assert_eq!(words(&after).as_deref(), expected);
            assert_eq!(for_programs(&after)["undone"]["by"].as_u64(), undone.map(|it| it.by));
        }
        let waiting = Aftermath { waits: true, ..Aftermath::default() };
        assert_eq!(words(&waiting).as_deref(), Some("waits to be confirmed"));
        assert_eq!(for_programs(&waiting)["settled"], "waits");
    }

    #[test]
    fn what_cannot_be_told_is_said_in_its_place() {
        let why = || Some("why".to_owned());
        let after = Aftermath { unclear: why(), ..Aftermath::default() };
        assert_eq!(words(&after).as_deref(), Some("error: what became of it cannot be told: why"));
        assert_eq!(for_programs(&after)["unclear"], "why");
        let run = RunSummary {
            begin: Begin { run: 7, ..Begin::default() },
            done: 0,
            reboots: 0,
            end: None,
            damage: why(),
            after,
        };
        let line = list(&[run]).remove(0);
        assert!(line.contains("7") && line.contains("error: why  error: what became"), "{line}");
    }
}
