//! A run that dies at any place: the next one reaches what was wanted, and the way back still leads to what was there before.

use super::counts::tell;
use super::stage::{CHANGE, JOURNAL, Looks, WRITE, assert_old_or_new, looks, old_host};
use crate::scratch::Scratch;
use std::collections::BTreeMap;
use std::path::PathBuf;

type Host = BTreeMap<PathBuf, Looks>;

/// The host before and after a run that nothing befell.
fn both() -> (Host, Host) {
    let scratch = old_host();
    let old = looks(&scratch);
    scratch.fine("apply", &["--yes"]);
    let new = looks(&scratch);
    assert_eq!(new[&PathBuf::from("count")].2, b"x\n");
    (old, new)
}

/// Calls `each` with a host whose run died at the failpoint, for every time that the run comes by there. How often it died.
fn each_death(
    points: &[&str],
    verb: &str,
    prepared: &dyn Fn() -> Scratch,
    each: &dyn Fn(&Scratch, &str),
) -> u32 {
    let mut deaths = 0;
    for point in points {
        for nth in 1.. {
            let (scratch, failpoint) = (prepared(), format!("{point}={nth}:crash"));
            let more: &[&str] = if verb == "rollback" { &["1", "--yes"] } else { &["--yes"] };
            let ran = scratch.keel_at(&failpoint, verb, more);
            if ran.code != 137 {
                assert_eq!(ran.code, 0, "{failpoint}: {ran:?}");
                break;
            }
            each(&scratch, &failpoint);
            deaths += 1;
        }
    }
    tell("F-01", "dead at a named place", u64::from(deaths));
    deaths
}

/// The host is as it is to be: the command ran at least once, nothing is left over, and nothing is left to do.
fn assert_arrived(scratch: &Scratch, new: &Host, failpoint: &str) {
    let (count, mut now) = (PathBuf::from("count"), looks(scratch));
    let times = now.insert(count.clone(), new[&count].clone()).map(|looks| looks.2.len() / 2);
    assert!((Some(1)..=Some(2)).contains(&times), "{failpoint}: ran {times:?} times");
    assert_eq!(now, *new, "{failpoint}");
    let before = scratch.stamps();
    let again = scratch.fine("apply", &["--yes"]);
    assert_eq!(again.out, "as desired: 9 unchanged\n", "{failpoint}");
    assert_eq!(scratch.stamps(), before, "{failpoint}");
}

/// After a death: forward to the end, then all the way back.
fn goes_on(points: &[&str]) {
    let (old, new) = both();
    let deaths = each_death(points, "apply", &old_host, &|scratch, failpoint| {
        assert_old_or_new(scratch, (&old, &new));
        scratch.fine("apply", &["--yes"]);
        assert_arrived(scratch, &new, failpoint);
        scratch.fine("rollback", &["--yes"]);
        let ran = scratch.keel("rollback", &["1", "--yes"]);
        assert!(ran.code == 0 || !scratch.state("runs/000001/journal").exists(), "{failpoint}: {ran:?}");
        assert_eq!(looks(scratch), old, "{failpoint}");
    });
    assert!(deaths as usize >= points.len(), "{deaths}");
}

/// After a death: straight back.
fn turns_back(points: &[&str]) {
    let (old, _) = both();
    each_death(points, "apply", &old_host, &|scratch, failpoint| {
        let ran = scratch.keel("rollback", &["--yes"]);
        assert!(ran.code == 0 || !scratch.state("runs/000001/journal").exists(), "{failpoint}: {ran:?}");
        assert_eq!(looks(scratch), old, "{failpoint}");
    });
}

/// A way back that dies is gone to its end by the next.
fn turns_back_after_all(points: &[&str]) {
    let (old, _) = both();
    let changed = || {
        let scratch = old_host();
        scratch.fine("apply", &["--yes"]);
        scratch
    };
    let deaths = each_death(points, "rollback", &changed, &|scratch, failpoint| {
        // One that had got there may have told so, and would be rolled back itself.
        let more: &[&str] = if looks(scratch) == old { &["1", "--yes"] } else { &["--yes"] };
        let ran = scratch.keel("rollback", more);
        assert_eq!((ran.code, looks(scratch)), (0, old.clone()), "{failpoint}: {ran:?}");
    });
    assert!(deaths > 0);
}

#[test]
fn a_run_that_dies_at_the_journal_is_taken_up() {
    goes_on(&JOURNAL);
}

#[test]
fn a_run_that_dies_at_a_write_is_taken_up() {
    goes_on(&WRITE);
}

#[test]
fn a_run_that_dies_at_another_change_is_taken_up() {
    goes_on(&CHANGE);
}

#[test]
fn a_run_that_died_at_the_journal_can_be_rolled_back() {
    turns_back(&JOURNAL);
}

#[test]
fn a_run_that_died_at_a_write_can_be_rolled_back() {
    turns_back(&WRITE);
}

#[test]
fn a_run_that_died_at_another_change_can_be_rolled_back() {
    turns_back(&CHANGE);
}

#[test]
fn a_rollback_that_dies_at_the_journal_is_taken_up() {
    turns_back_after_all(&JOURNAL);
}

#[test]
fn a_rollback_that_dies_at_a_write_is_taken_up() {
    turns_back_after_all(&WRITE);
}

#[test]
fn a_rollback_that_dies_at_another_change_is_taken_up() {
    turns_back_after_all(&CHANGE);
}

#[test]
fn a_rollback_with_nothing_to_do_leaves_no_temporary_file() {
    let scratch = Scratch::of("[file.\"HOST/a\"]\ncontent = \"a\"\n");
    assert_eq!(scratch.keel_at("write.synced=2:crash", "apply", &["--yes"]).code, 137);
    assert_eq!(looks(&scratch).len(), 2);
    scratch.fine("rollback", &["--yes"]);
    assert_eq!(looks(&scratch).len(), 1);
}

#[test]
fn a_run_that_died_before_its_journal_is_not_the_last_one() {
    let scratch = Scratch::of("[file.\"HOST/a\"]\ncontent = \"a\"\n");
    scratch.fine("apply", &["--yes"]);
    scratch.site("[file.\"HOST/b\"]\ncontent = \"b\"\n");
    assert_eq!(scratch.keel_at("journal.create=1:crash", "apply", &["--yes"]).code, 137);
    scratch.fine("rollback", &["--yes"]);
    assert_eq!(looks(&scratch).len(), 1);
}
