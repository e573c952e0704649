//! The lines of one resource, the same in a plan and in a run: a head with its sign, what is done, the text that differs.

use super::color::paint;
use super::diagnostics::Color;
use super::out::inert;
use agent::undo::reversibility;
use model::{Diff, Op, PackageAction, PlannedNode, Reversibility, Step, Val, Verdict};

/// Text that grows line by line; everything that comes in is made inert.
pub struct Lines {
    text: String,
    color: Color,
}

impl Lines {
    /// None yet.
    pub fn new(color: Color) -> Self {
        Self { text: String::new(), color }
    }

    /// `sign what`, in the colour of the sign.
    pub fn head(&mut self, sign: char, what: &str) {
        let painted = paint(&inert(&format!("{sign} {what}")), sign, self.color);
        self.text.push_str(&painted);
        self.text.push('\n');
    }

    /// A line below a head. Text of several lines is set in as a whole.
    pub fn below(&mut self, what: &str) {
        for line in inert(what).lines() {
            self.text.push_str(&format!("    {line}\n"));
        }
    }

    /// A unified diff below a head, without the names of its sides: the head says what differs.
    pub fn diff(&mut self, diff: &str) {
        for line in diff.lines().filter(|line| !matches!(*line, "--- before" | "+++ after")) {
            let sign = line.chars().next().unwrap_or(' ');
            self.text.push_str(&format!("      {}\n", paint(&inert(line), sign, self.color)));
        }
    }

    /// All of them, without the last end of line.
    pub fn finish(self) -> String {
        self.text.trim_end_matches('\n').to_owned()
    }
}

/// A step, and what of it cannot be taken back or is not done at one stroke.
pub fn step_line(step: &Step) -> String {
    let remark = match &step.op {
        Op::Run(_) if reversibility(&step.op) == Reversibility::None => "  [irreversible]",
        Op::Packages(_) => "  [not atomic]",
        _ => "",
    };
    format!("{step}{remark}")
}

/// The sign of a node: `+` where something comes into being, `-` where it goes, `~` where it changes, `>` where it is only
/// refreshed, `?` where nobody can know, `!` where it fails.
pub fn sign(node: &PlannedNode) -> char {
    match &node.verdict {
        Verdict::Refresh => '>',
        Verdict::Provisional { .. } => '?',
        Verdict::Failed { .. } | Verdict::Skipped { .. } => '!',
        Verdict::Unchanged | Verdict::LeftOut | Verdict::Change => sign_of(&node.steps),
    }
}

/// The sign of steps that are certain.
pub fn sign_of(steps: &[Step]) -> char {
    if steps.iter().all(|step| takes_away(&step.op)) {
        '-'
    } else if steps.iter().any(brings) {
        '+'
    } else {
        '~'
    }
}

fn takes_away(op: &Op) -> bool {
    match op {
        Op::Remove { .. } | Op::RemoveUser { .. } | Op::RemoveGroup { .. } => true,
        Op::Packages(transaction) => {
            let goes =
                |action: &PackageAction| matches!(action, PackageAction::Remove | PackageAction::Purge);
            transaction.changes.iter().all(|change| goes(&change.action))
        }
        _ => false,
    }
}

/// What the step is about was absent, as a whole: not only one of its properties.
fn brings(step: &Step) -> bool {
    let was_absent = |diff: &Diff| diff.before == Val::Absent && diff.after != Val::Absent;
    let mut absent = step.diffs.iter().filter(|diff| was_absent(diff)).map(|diff| diff.field.as_str());
    match &step.op {
        Op::AddUser(_) | Op::AddGroup(_) | Op::MakeDirectory { .. } => true,
        Op::WriteFile { path, .. } | Op::MakeSymlink { path, .. } => {
            let path = path.to_string();
            absent.any(|field| ["content", "target", "ensure", &path].contains(&field))
        }
        Op::Packages(_) => absent.next().is_some(),
        _ => false,
    }
}
