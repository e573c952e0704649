//! The lines of one resource, the same in a plan and in a run: a head with its sign, what is done, the text that differs.

use super::color::paint;
use super::diagnostics::Color;
use super::out::inert;
use agent::undo::reversibility_of;
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
        Op::Run(_) | Op::Remove { .. } if reversibility_of(step) == Reversibility::None => "  [irreversible]",
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
            !transaction.changes.is_empty() && transaction.changes.iter().all(|change| goes(&change.action))
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

#[cfg(test)]
mod tests {
    use super::{Lines, sign_of, step_line};
    use crate::view::diagnostics::Color;
    use model::{
        Command, HostPath, Op, PackageAction, PackageChange, Principal, Step, Text, Transaction, UserSpec,
        Val,
    };

    fn path() -> HostPath {
        HostPath::new("/a").expect("a path")
    }

    fn packages(action: PackageAction) -> Op {
        let changes = vec![PackageChange { name: "nginx".into(), action }];
        Op::Packages(Transaction { changes, ..Transaction::default() })
    }

    #[test]
    fn a_sign_says_whether_something_comes_goes_or_changes() {
        let link = || Step::new(Op::MakeSymlink { path: path(), target: "b".into() });
        let (owner, group) = (Principal::Number(0), Principal::Number(0));
        let directory = Step::new(Op::MakeDirectory { path: path(), owner, group, mode: 0o755 });
        let user = Step::new(Op::AddUser(UserSpec::default())).because("ensure", Val::Absent, "present");
        for (steps, sign) in [
            (vec![directory], '+'),
            (vec![user], '+'),
            (vec![link().because("target", Val::Absent, "b")], '+'),
            (vec![link().because("target", "a", "b")], '~'),
            (vec![link().because("/a", Val::Absent, "link to b")], '+'),
            (vec![Step::new(Op::Remove { path: path() })], '-'),
            (vec![Step::new(Op::Remove { path: path() }), link().because("target", "file", "b")], '~'),
            (vec![Step::new(packages(PackageAction::Purge))], '-'),
            (
                vec![Step::new(packages(PackageAction::Install(None))).because("version", Val::Absent, "1")],
                '+',
            ),
            (vec![Step::new(packages(PackageAction::Install(None))).because("version", "1", "2")], '~'),
        ] {
            assert_eq!(sign_of(&steps), sign, "{steps:?}");
        }
    }

    #[test]
    fn what_cannot_be_taken_back_or_is_not_done_at_one_stroke_is_marked() {
        let run = |undo: &[&str]| {
            let texts = |words: &[&str]| words.iter().map(|word| Text::Plain((*word).into())).collect();
            Step::new(Op::Run(Command { argv: texts(&["true"]), undo: texts(undo), ..Command::default() }))
        };
        assert_eq!(step_line(&run(&[])), "run true  [irreversible]");
        assert_eq!(step_line(&run(&["false"])), "run true");
        let remove = |what| Step::new(Op::Remove { path: path() }).because("ensure", what, Val::Absent);
        assert!(step_line(&remove("fifo")).ends_with("  [irreversible]"));
        assert!(!step_line(&remove("file")).contains("irreversible"));
        let install = Step::new(packages(PackageAction::Install(None)));
        assert_eq!(step_line(&install), "packages install nginx  [not atomic]");
    }

    #[test]
    fn only_our_own_escape_sequences_reach_a_terminal() {
        let shown = |color| {
            let mut lines = Lines::new(color);
            lines.head('+', "file./a\u{1b}[2J");
            lines.below("two\nlines\r");
            lines.diff("--- before\n+++ after\n@@ -1 +1 @@\n--- a line of dashes\n+b\u{7}\n");
            lines.finish()
        };
        let plain = "+ file./a\\u{1b}[2J\n    two\n    lines\\r\n      @@ -1 +1 @@\n      --- a line of dashes\n      +b\\u{7}";
        assert_eq!(shown(Color::Never), plain);
        let colored = shown(Color::Always);
        assert!(colored.starts_with("\u{1b}[32m+ file./a\\u{1b}[2J\u{1b}[0m\n"), "{colored}");
        assert!(colored.contains("      \u{1b}[31m--- a line of dashes\u{1b}[0m\n"), "{colored}");
    }
}
