//! Unified diffs of two texts, as diff(1) writes them with `-u`. It must not decide what may be shown.
//!
//! Put together from the parts of `similar`: its own unified diffs bring every algorithm it has into the program.

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::{ChangeTag, group_diff_ops, udiff::UnifiedHunkHeader};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Lines around a change.
const CONTEXT: usize = 3;

/// The differences of `old` and `new` with the headers `before` and `after`; empty where there are none.
pub fn unified(old: &str, new: &str) -> String {
    let lines: [Vec<&str>; 2] = [old, new].map(|text| text.split_inclusive('\n').collect());
    let mut known = BTreeMap::new();
    let numbers = lines.each_ref().map(|lines| {
        let number = |line| {
            let next = known.len();
            *known.entry(line).or_insert(next)
        };
        lines.iter().copied().map(number).collect::<Vec<usize>>()
    });
    let [old, new] = &numbers;
    let mut changes = Compact::new(Replace::new(Capture::new()), old, new);
    let Ok(()) = myers::diff(&mut changes, old, 0..old.len(), new, 0..new.len());
    let mut text = String::new();
    for hunk in group_diff_ops(changes.into_inner().into_inner().into_ops(), CONTEXT) {
        if hunk.is_empty() {
            continue;
        }
        if text.is_empty() {
            text.push_str("--- before\n+++ after\n");
        }
        // Nothing that is written to a string fails.
        writeln!(text, "{}", UnifiedHunkHeader::new(&hunk)).expect("a string has room");
        for change in hunk.iter().flat_map(|op| op.iter_changes(&lines[0], &lines[1])) {
            text.push(match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            });
            text.push_str(change.value());
            if !change.value().ends_with('\n') {
                text.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn hunks_have_context_and_say_where_a_newline_is_missing() {
        let old: String = (1..=20).map(|line| format!("{line}\n")).collect();
        let new = old.replace("\n5\n", "\nfive\n").replace("20\n", "20");
        let wanted = "--- before\n+++ after\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -17,4 +17,4 @@\n 17\n 18\n 19\n\
                      -20\n+20\n\\ No newline at end of file\n";
        assert_eq!(unified(&old, &new), wanted);
    }

    #[test]
    fn what_is_the_same_has_no_diff_and_a_new_text_has_one_hunk() {
        assert_eq!(unified("a\nb\n", "a\nb\n"), "");
        assert_eq!(unified("", ""), "");
        assert_eq!(unified("", "a\nb\n"), "--- before\n+++ after\n@@ -0,0 +1,2 @@\n+a\n+b\n");
        assert_eq!(unified("a\n", ""), "--- before\n+++ after\n@@ -1 +0,0 @@\n-a\n");
    }

    #[test]
    fn it_is_what_similar_writes() {
        let line = |seed: usize, at: usize| format!("{}\n", (at * seed * 7919 % 13) % 5);
        for seed in 1..40 {
            let old: String = (0..60).map(|at| line(seed, at)).collect();
            let new: String = (0..60).map(|at| line(seed + 1, at)).collect();
            let diff = similar::TextDiff::from_lines(&old, &new);
            let wanted = diff.unified_diff().context_radius(3).header("before", "after").to_string();
            assert_eq!(unified(&old, &new), wanted);
        }
    }
}
