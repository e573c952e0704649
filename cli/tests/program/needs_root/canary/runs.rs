//! Everything that can be done with a host.

use super::aviary::{Aviary, FAILS, HANGS};
use std::path::PathBuf;

const NOTHING: [PathBuf; 0] = [];

#[track_caller]
fn nothing_kept(aviary: &Aviary) {
    assert_eq!(aviary.holders().into_keys().collect::<Vec<_>>(), NOTHING);
}

/// Looks at the runs so far, in all ways.
fn look_back(aviary: &Aviary) {
    for verb in ["show", "history"] {
        aviary.quiet(None, verb, &[]);
        aviary.quiet(None, verb, &["--format", "json"]);
    }
    aviary.quiet(None, "rollback", &["--plan"]);
}

#[test]
fn a_secret_is_told_by_no_plan_and_no_run() {
    let aviary = Aviary::new("");
    for more in [&[][..], &["--format", "json"]] {
        aviary.ends(2, "plan", more);
        nothing_kept(&aviary);
    }
    aviary.ends(0, "validate", &[]);
    aviary.ends(0, "apply", &["--yes"]);
    assert!(aviary.is_applied());
    look_back(&aviary);
    nothing_kept(&aviary);
    assert_eq!(
        aviary.quiet(None, "rollback", &["--yes", "--format", "json"]).code,
        1,
        "commands are not undone"
    );
}

#[test]
fn what_a_secret_was_before_is_kept_for_root_alone() {
    let mut aviary = Aviary::new("");
    aviary.ends(0, "apply", &["--yes", "--format", "json"]);
    aviary.plant("b");
    aviary.ends(2, "plan", &["--format", "json"]);
    aviary.ends(0, "apply", &["--yes", "--format", "json"]);
    let kept = aviary.holders();
    assert!(kept.len() >= 5, "files, lines, a password: {kept:?}");
    look_back(&aviary);
    aviary.quiet(None, "rollback", &["--yes"]);
    assert!(aviary.is_applied());
}

#[test]
fn a_secret_is_told_by_no_failure() {
    for (more, why, format) in [
        (FAILS, "exited with 3", "human"),
        (FAILS, "exited with 3", "json"),
        (HANGS, "longer than 1 s", "json"),
    ] {
        let aviary = Aviary::new(more);
        let ran = aviary.quiet(None, "apply", &["--yes", "--format", format]);
        assert!(ran.code == 1 && ran.out.contains(why), "{why}: {ran:?}");
        aviary.quiet(None, "show", &["--format", "json"]);
        aviary.quiet(None, "rollback", &["--plan"]);
        nothing_kept(&aviary);
    }
}

#[test]
fn a_secret_is_left_by_no_run_that_dies() {
    for point in ["journal.appended=9:crash", "write.written=3:crash", "write.renamed=4:crash"] {
        let mut aviary = Aviary::new("");
        aviary.quiet(Some(point), "apply", &["--yes"]);
        nothing_kept(&aviary);
        aviary.ends(0, "apply", &["--yes"]);
        assert!(aviary.is_applied());
        aviary.plant("b");
        aviary.quiet(Some(point), "apply", &["--yes", "--format", "json"]);
        aviary.quiet(Some(point), "rollback", &["--yes"]);
        look_back(&aviary);
    }
}
