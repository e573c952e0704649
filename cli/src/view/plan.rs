//! A plan for people: what changes, why, what cannot be undone and what cannot be known.

use super::diagnostics::Color;
use super::lines::{Lines, sign, step_line};
use super::words::{counted, lock};
use model::{Because, Orphan, Plan, PlannedNode, Report, Stake, Verdict};

/// The plan as text; empty where there is nothing to say.
pub fn render(plan: &Plan, color: Color) -> String {
    let mut lines = Lines::new(color);
    plan.locks.iter().for_each(|one| lines.head('!', &lock(one)));
    plan.nodes.iter().for_each(|node| node_lines(node, &mut lines));
    for group in &plan.together {
        let nodes: Vec<String> = group.nodes.iter().map(ToString::to_string).collect();
        lines.head('=', &format!("all or nothing, once it is checked: {}", nodes.join(", ")));
        group.checks.iter().for_each(|check| lines.below(check));
    }
    plan.orphans.iter().for_each(|orphan| orphan_lines(orphan, &mut lines));
    for owed in &plan.owed {
        lines.head('>', &format!("{} is owed a refresh: {} changed in an earlier run", owed.to, owed.from));
    }
    if let Some(Stake { window, because }) = &plan.armed {
        lines.head(
            '!',
            &format!("the run will be undone unless it is confirmed within {window} s of its end"),
        );
        because.iter().for_each(|what| lines.below(what));
    }
    lines.finish()
}

/// What a run does not tell of: orphans that stay.
pub fn render_staying(plan: &Plan, color: Color) -> String {
    let mut lines = Lines::new(color);
    plan.orphans.iter().filter(|one| one.steps.is_empty()).for_each(|one| orphan_lines(one, &mut lines));
    lines.finish()
}

fn node_lines(node: &PlannedNode, lines: &mut Lines) {
    let origin = node.origin.as_ref().map_or_else(String::new, |origin| format!("  ({origin})"));
    let (what, because) = match &node.verdict {
        Verdict::Unchanged | Verdict::LeftOut => return,
        Verdict::Change => ("", String::new()),
        Verdict::Refresh => (" will be refreshed", String::new()),
        Verdict::Provisional { because } => ("", format!("cannot know before the run: {because}")),
        Verdict::Failed { because } | Verdict::Skipped { because } => ("", because.clone()),
    };
    lines.head(sign(node), &format!("{}{what}{}{origin}", node.id, mark(node)));
    lines.below(&because);
    node.steps.iter().for_each(|step| lines.below(&step_line(step)));
    if !matches!(node.verdict, Verdict::Refresh) && !node.refresh.is_empty() {
        lines.below("then, because something it listens to changes:");
    }
    node.refresh.iter().for_each(|step| lines.below(&step_line(step)));
    texts(&node.texts, lines);
}

/// What is said of a change that is not known to be an intended one.
fn mark(node: &PlannedNode) -> &'static str {
    match node.because {
        Some(Because::Drift) => "  [drift]",
        Some(Because::Unknown) => "  [drift or intended: not known]",
        Some(Because::RolledBack) => "  [was rolled back]",
        Some(Because::Intended | Because::Follows) | None => "",
    }
}

/// Diffs; each with its path where there are several.
pub fn texts(texts: &[(String, String)], lines: &mut Lines) {
    for (path, diff) in texts {
        if texts.len() > 1 {
            lines.below(path);
        }
        lines.diff(diff);
    }
}

fn orphan_lines(orphan: &Orphan, lines: &mut Lines) {
    if orphan.steps.is_empty() {
        lines.head('o', &format!("{} is no longer in the catalog; {}", orphan.id, orphan.because));
        return;
    }
    lines.head('-', &format!("{} is no longer in the catalog and will be removed", orphan.id));
    orphan.steps.iter().for_each(|step| lines.below(&step_line(step)));
}

/// The last line of a plan.
pub fn sum(report: &Report, orphans: usize) -> String {
    let Report { changed, unchanged, failed, skipped, unknown, .. } = report;
    let to_change = format!("to change{}", of_them(report));
    let parts = [
        (changed, to_change.as_str()),
        (unknown, "cannot be known before the run"),
        (failed, "failed"),
        (skipped, "blocked"),
        (unchanged, "unchanged"),
    ];
    let said = parts.iter().filter(|(count, _)| **count > 0).map(|(count, word)| format!("{count} {word}"));
    let mut said: Vec<String> = said.collect();
    if orphans > 0 {
        said.push(counted(orphans, "orphan"));
    }
    if *changed + failed + skipped + unknown == 0 {
        return as_desired(*unchanged, orphans);
    }
    said.join(", ")
}

/// How much of what changes is drift; empty where nothing is.
pub fn of_them(report: &Report) -> String {
    match report.drift {
        0 => String::new(),
        1 if report.changed == 1 => ", which is drift".to_owned(),
        drift if drift == report.changed => ", all of them drift".to_owned(),
        drift => format!(", {drift} of them drift"),
    }
}

/// The one line of a host that is as it is to be.
pub fn as_desired(unchanged: u64, orphans: usize) -> String {
    if unchanged == 0 && orphans == 0 {
        return "nothing to do".to_owned();
    }
    let orphans = if orphans == 0 { String::new() } else { format!(", {}", counted(orphans, "orphan")) };
    format!("as desired: {unchanged} unchanged{orphans}")
}

/// How many resources a run of the plan will tell of.
pub fn to_do(plan: &Plan) -> usize {
    plan.nodes.len() + plan.orphans.len() - staying(plan)
}

/// Orphans that stay.
pub fn staying(plan: &Plan) -> usize {
    plan.orphans.iter().filter(|orphan| orphan.steps.is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::{render, sum};
    use crate::view::diagnostics::Color;
    use model::{Plan, Report, Stake};

    #[test]
    fn what_the_run_has_to_be_confirmed_for_is_said_with_the_plan() {
        let because = vec!["/etc/ssh/sshd_config: the ssh server".to_owned(), "and 2\u{1b} more".to_owned()];
        let plan = Plan { armed: Some(Stake { window: 90, because }), ..Plan::default() };
        let expected = "! the run will be undone unless it is confirmed within 90 s of its end\n    \
                        /etc/ssh/sshd_config: the ssh server\n    and 2\\u{1b} more";
        assert_eq!(render(&plan, Color::Never), expected);
    }

    #[test]
    fn the_last_line_names_what_there_is_and_nothing_else() {
        let report = |changed, unchanged, failed, skipped, unknown| Report {
            run: None,
            changed,
            drift: 0,
            unchanged,
            failed,
            skipped,
            unknown,
        };
        for (report, orphans, expected) in [
            (report(4, 12, 0, 0, 1), 0, "4 to change, 1 cannot be known before the run, 12 unchanged"),
            (report(0, 0, 1, 2, 0), 2, "1 failed, 2 blocked, 2 orphans"),
            (report(0, 3, 0, 0, 0), 0, "as desired: 3 unchanged"),
            (report(0, 3, 0, 0, 0), 1, "as desired: 3 unchanged, 1 orphan"),
            (report(0, 0, 0, 0, 0), 0, "nothing to do"),
        ] {
            assert_eq!(sum(&report, orphans), expected);
        }
        let drift = |drift| Report { changed: 3, drift, ..Report::default() };
        assert_eq!(sum(&drift(1), 0), "3 to change, 1 of them drift");
        assert_eq!(sum(&drift(3), 0), "3 to change, all of them drift");
    }
}
