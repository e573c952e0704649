//! What somebody else changed on a host, as lines: what it was and is, when, and by whom as far as the host can tell.

use super::diagnostics::Color;
use super::lines::Lines;
use super::words::counted;
use model::{About, Because, Drift, Drifted, Trace};
use serde_json::json;

/// For people.
pub fn render(found: &Drift, color: Color) -> String {
    let mut lines = Lines::new(color);
    found.resources.iter().for_each(|one| resource(one, &mut lines));
    for (id, why) in &found.untold {
        lines.head('?', &format!("{id}: it cannot be told whether it drifted"));
        lines.below(why);
    }
    let text = lines.finish();
    let sum = sum(found);
    if text.is_empty() { sum } else { format!("{text}\n{sum}") }
}

/// For programs: a line for each resource, and the sum.
pub fn lines_json(found: &Drift) -> Vec<String> {
    let mut lines: Vec<String> = found
        .resources
        .iter()
        .map(|one| {
            let mut line = json!(one);
            line["event"] = json!("drift");
            line.to_string()
        })
        .collect();
    for (id, because) in &found.untold {
        lines.push(json!({ "event": "untold", "id": id, "because": because }).to_string());
    }
    let (drift, unknown) = counts(found);
    let (intended, even, untold) = (found.intended, found.even, found.untold.len());
    let sum = json!({
        "event": "drifted", "drift": drift, "not_known": unknown, "intended": intended, "untold": untold, "even": even
    });
    lines.push(sum.to_string());
    lines
}

fn resource(one: &Drifted, lines: &mut Lines) {
    let origin = one.origin.as_ref().map_or_else(String::new, |origin| format!("  ({origin})"));
    let what = if one.because == Because::Drift {
        "drifted"
    } else {
        "differs, and it is not known whether somebody changed it"
    };
    lines.head('~', &format!("{} {what}{origin}", one.id));
    for diff in one.diffs.iter().filter(|diff| diff.before != diff.after) {
        lines.below(&format!("{}: was {}, is {}", diff.field, diff.after, diff.before));
    }
    if one.diffs.is_empty() {
        one.changes.iter().for_each(|change| lines.below(&format!("to bring it back: {change}")));
    }
    for (path, diff) in &one.texts {
        if one.texts.len() > 1 {
            lines.below(path);
        }
        lines.diff(&turned(diff));
    }
    one.traces.iter().for_each(|trace| lines.below(&words(trace)));
    if !one.traces.iter().any(|trace| trace.about == About::Who) {
        lines.below("by whom: nothing on this host tells");
    }
}

fn words(Trace { at, about, from, says }: &Trace) -> String {
    let word = match about {
        About::Good => "good",
        About::When => "when",
        About::Who => "by whom",
        About::There => "there",
        About::Unknown => "not known",
    };
    let at = if at.is_empty() { String::new() } else { format!("{at}  ") };
    format!("{word}: {at}{says}  [{from}]")
}

/// A unified diff the other way round: from what was applied to what was found.
fn turned(diff: &str) -> String {
    let (mut out, mut gone, mut come) = (String::new(), String::new(), String::new());
    for line in diff.lines().filter(|line| !matches!(*line, "--- before" | "+++ after")) {
        match line.split_at_checked(1) {
            Some(("-", rest)) => come.push_str(&format!("+{rest}\n")),
            Some(("+", rest)) => gone.push_str(&format!("-{rest}\n")),
            _ => {
                out.push_str(&std::mem::take(&mut gone));
                out.push_str(&std::mem::take(&mut come));
                out.push_str(&hunk(line).unwrap_or_else(|| line.to_owned()));
                out.push('\n');
            }
        }
    }
    out + &gone + &come
}

/// `@@ -1,2 +3,4 @@` the other way round.
fn hunk(line: &str) -> Option<String> {
    let (before, after) = line.strip_prefix("@@ -")?.strip_suffix(" @@")?.split_once(" +")?;
    Some(format!("@@ -{after} +{before} @@"))
}

fn counts(found: &Drift) -> (usize, usize) {
    let drift = found.resources.iter().filter(|one| one.because == Because::Drift).count();
    (drift, found.resources.len() - drift)
}

fn sum(found: &Drift) -> String {
    let (drift, unknown) = counts(found);
    let mut said = Vec::new();
    if drift > 0 {
        said.push(format!("{drift} drifted"));
    }
    if unknown > 0 {
        said.push(format!("of {unknown} it is not known"));
    }
    if !found.untold.is_empty() {
        said.push(format!("{} could not be told", found.untold.len()));
    }
    if said.is_empty() {
        said.push("no drift".to_owned());
    }
    if found.intended > 0 {
        let changes = counted(usize::try_from(found.intended).unwrap_or(usize::MAX), "intended change");
        said.push(format!("{changes} to come"));
    }
    said.push(format!("{} as desired", found.even));
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{render, turned};
    use crate::view::diagnostics::Color;
    use model::{About, Because, Diff, Drift, Drifted, Id, Trace, Val};

    fn drift(because: Because, traces: Vec<Trace>) -> Drift {
        let diff = Diff { field: "mode".into(), before: Val::from("0666"), after: Val::from("0644") };
        let (id, changes, texts) = (Id::new("file", "/a"), vec!["x".into()], Vec::new());
        let one = Drifted { id, origin: None, because, diffs: vec![diff], changes, texts, traces };
        Drift { resources: vec![one], intended: 1, untold: Vec::new(), even: 3 }
    }

    #[test]
    fn it_says_what_was_and_is_and_where_it_knows_that_from() {
        let trace = Trace {
            at: "2026-01-02T00:00:00Z".into(),
            about: About::Who,
            from: "the journal, sudo".into(),
            says: "ann ran /usr/bin/tee with it".into(),
        };
        let expected = "~ file./a drifted\n    mode: was 0644, is 0666\n    \
                        by whom: 2026-01-02T00:00:00Z  ann ran /usr/bin/tee with it  [the journal, sudo]\n\
                        1 drifted, 1 intended change to come, 3 as desired";
        assert_eq!(render(&drift(Because::Drift, vec![trace]), Color::Never), expected);
        let unknown = render(&drift(Because::Unknown, Vec::new()), Color::Never);
        assert!(unknown.contains("it is not known whether somebody changed it"), "{unknown}");
        assert!(unknown.contains("by whom: nothing on this host tells"), "{unknown}");
        assert_eq!(render(&Drift { even: 3, ..Drift::default() }, Color::Never), "no drift, 3 as desired");
    }

    #[test]
    fn a_diff_is_turned() {
        let diff = "--- before\n+++ after\n@@ -1,2 +1 @@\n a\n-b\n-c\n+d\n";
        assert_eq!(turned(diff), "@@ -1 +1,2 @@\n a\n-d\n+b\n+c\n");
    }
}
