//! A plan for people: what changes, why, what cannot be undone and what cannot be known.

use super::out::{inert, line, note};
use crate::args::Format;
use agent::undo::reversibility;
use model::{Op, Orphan, Plan, PlannedNode, Reversibility, Step, Val, Verdict};

/// Shows a plan.
pub fn show(plan: &Plan, format: Format) {
    match format {
        Format::Human => line(human(plan).trim_end()),
        Format::Json => match serde_json::to_string(plan) {
            Ok(text) => line(&text),
            Err(error) => note(&format!("the plan cannot be shown: {error}")),
        },
    }
}

/// The plan as text.
pub fn human(plan: &Plan) -> String {
    let mut text = String::new();
    for node in &plan.nodes {
        node_text(node, &mut text);
    }
    for orphan in &plan.orphans {
        orphan_text(orphan, &mut text);
    }
    for owed in &plan.owed {
        push(&mut text, &format!("> {} is owed a refresh: {} changed in an earlier run", owed.to, owed.from));
    }
    text
}

fn push(text: &mut String, line: &str) {
    text.push_str(&inert(line));
    text.push('\n');
}

fn node_text(node: &PlannedNode, text: &mut String) {
    let mut head = match &node.verdict {
        Verdict::Unchanged | Verdict::LeftOut => return,
        Verdict::Change => format!("{} {}", sign(&node.steps), node.id),
        Verdict::Refresh => format!("> {} will be refreshed", node.id),
        Verdict::Provisional { because } => format!("? {}  cannot know before the run: {because}", node.id),
        Verdict::Failed { because } => format!("! {}  {because}", node.id),
        Verdict::Skipped { because } => format!("! {}  skipped: {because}", node.id),
    };
    if let Some(origin) = &node.origin {
        head.push_str(&format!("  ({origin})"));
    }
    push(text, &head);
    for step in &node.steps {
        step_text(step, "", text);
    }
    if !matches!(node.verdict, Verdict::Refresh) && !node.refresh.is_empty() {
        push(text, "    then, because something it listens to changes:");
    }
    for step in &node.refresh {
        step_text(step, "", text);
    }
    for (path, diff) in &node.texts {
        push(text, &format!("    {path}"));
        diff.lines().for_each(|line| push(text, &format!("    {line}")));
    }
}

fn step_text(step: &Step, indent: &str, text: &mut String) {
    let way_back = match reversibility(&step.op) {
        Reversibility::None if is_lasting(&step.op) => "  [irreversible]",
        _ => "",
    };
    push(text, &format!("    {indent}{step}{way_back}"));
}

/// A restart cannot be undone either, but leaves nothing to undo.
fn is_lasting(op: &Op) -> bool {
    matches!(op, Op::Run(_))
}

fn orphan_text(orphan: &Orphan, text: &mut String) {
    if orphan.steps.is_empty() {
        push(text, &format!("o {} is no longer in the catalog; {}", orphan.id, orphan.because));
        return;
    }
    push(text, &format!("- {} is no longer in the catalog and will be removed", orphan.id));
    orphan.steps.iter().for_each(|step| step_text(step, "", text));
}

/// `+` where something comes into being, `-` where it goes, `~` where it changes.
fn sign(steps: &[Step]) -> char {
    let diffs = || steps.iter().flat_map(|step| &step.diffs);
    if steps
        .iter()
        .all(|step| matches!(step.op, Op::Remove { .. } | Op::RemoveUser { .. } | Op::RemoveGroup { .. }))
    {
        '-'
    } else if diffs().any(|diff| diff.field == "ensure" && diff.before == Val::Text("absent".to_owned())) {
        '+'
    } else {
        '~'
    }
}
