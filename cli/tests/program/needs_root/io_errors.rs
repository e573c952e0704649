//! A disk that is full or broken: what it befalls fails and stays as it was, what does not depend on it goes on, and the next
//! run makes up for it.

use super::counts::tell;
use super::stage::{CHANGE, JOURNAL, WRITE, assert_old_or_new, looks, old_host};
use crate::scratch::{Ran, Scratch};

/// Nodes that failed, and nodes that were skipped.
fn bad(ran: &Ran) -> (usize, usize) {
    let events = ran.events();
    let count = |status: &str| events.iter().filter(|event| event["status"] == status).count();
    (count("failed"), count("skipped"))
}

/// Calls `each` for every time that a run comes by one of the points and fails there. How often that was.
fn each_error(points: &[&str], each: &dyn Fn(&Scratch, &Ran, &str)) -> u32 {
    let mut errors = 0;
    for point in points {
        for nth in 1.. {
            let errno = ["ENOSPC", "EIO"][nth % 2];
            let (scratch, failpoint) = (old_host(), format!("{point}={nth}:error:{errno}"));
            let ran = scratch.keel_at(&failpoint, "apply", &["--yes", "--format", "json"]);
            if ran.code == 0 {
                break;
            }
            assert_eq!(ran.code, 1, "{failpoint}: {ran:?}");
            each(&scratch, &ran, &failpoint);
            errors += 1;
        }
    }
    tell("F-08", "an error at a named place", u64::from(errors));
    errors
}

/// One error is one failure: the rest goes on, and the next run arrives.
fn fails_alone(points: &[&str]) {
    let old = looks(&old_host());
    let fine = old_host();
    fine.fine("apply", &["--yes"]);
    let new = looks(&fine);
    let errors = each_error(points, &|scratch, ran, failpoint| {
        let (failed, skipped) = bad(ran);
        assert!(failed <= 1 && skipped <= failed, "{failpoint}: {ran:?}");
        assert_old_or_new(scratch, (&old, &new));
        assert!(
            looks(scratch).keys().all(|name| new.contains_key(name) || old.contains_key(name)),
            "{failpoint}"
        );
        scratch.fine("apply", &["--yes"]);
        assert_eq!(looks(scratch), new, "{failpoint}");
        let before = scratch.stamps();
        scratch.fine("apply", &["--yes"]);
        assert_eq!(scratch.stamps(), before, "{failpoint}");
    });
    assert!(errors as usize >= points.len(), "{errors}");
}

#[test]
fn a_write_that_fails_fails_alone() {
    fails_alone(&WRITE);
}

#[test]
fn another_change_that_fails_fails_alone() {
    fails_alone(&CHANGE);
}

/// Without a journal nothing more is done.
#[test]
fn a_journal_that_fails_ends_the_run() {
    let old = looks(&old_host());
    let fine = old_host();
    fine.fine("apply", &["--yes"]);
    let new = looks(&fine);
    each_error(&JOURNAL, &|scratch, _, failpoint| {
        assert_old_or_new(scratch, (&old, &new));
        scratch.fine("apply", &["--yes"]);
        let (count, mut now) = (std::path::PathBuf::from("count"), looks(scratch));
        now.insert(count.clone(), new[&count].clone());
        assert_eq!(now, new, "{failpoint}");
        scratch.fine("apply", &["--yes"]);
    });
}
