//! The small files beside the journals are damaged: who is bound by one refuses by its name and changes nothing, or goes on and says so;
//! what stood in it is never taken for something else.
#![expect(clippy::disallowed_methods, reason = "damages scratch files")]

use crate::corpus::Case;
use crate::counts::tell;
use crate::lab::Lab;
use crate::matrix::{Ends, assert_arrives};
use agent::state::{Pending, Phase};
use model::{Settled, SoftLock};
use std::fs;
use std::path::PathBuf;
use wire::Terms;

const NOW: &str = "2026-01-01T00:00:00Z";

fn case() -> Case {
    Case::all().into_iter().find(|case| case.name == "running-service").expect("it is in the corpus")
}

/// Each cut, each bit turned, zeros in its place, garbage, twice the same.
fn damages(whole: &[u8]) -> Vec<Vec<u8>> {
    let cuts = (0..whole.len()).map(|cut| whole[..cut].to_vec());
    let turned = (0..whole.len() * 8).map(|bit| {
        let mut bytes = whole.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    let others = [vec![0; whole.len()], vec![0xa5; 4096], [whole, whole].concat()];
    cuts.chain(turned).chain(others).collect()
}

/// A host with a file in its state, and what is in it.
fn with(put: fn(&Lab), file: &str) -> (Lab, PathBuf, Vec<u8>) {
    let lab = Lab::of(&case());
    lab.state.make().expect("the state is ours");
    put(&lab);
    let path = lab.state.root().join(file);
    let whole = fs::read(&path).expect("it was put");
    (lab, path, whole)
}

fn wait(lab: &Lab) {
    let pending = Pending { run: 1, window: 60, because: vec!["sshd".into()], phase: Phase::Waiting };
    lab.state.lock_pending("test").and_then(|guard| guard.put(&pending)).expect("written");
}

fn lock(lab: &Lab) {
    let (resource, since) = (None, String::new());
    let lock = SoftLock { resource, owner: "ann".into(), reason: "upgrade".into(), since, seconds: 7200 };
    lab.state.put_soft_lock(lock, NOW).expect("written");
}

fn settle(lab: &Lab) {
    fs::create_dir(lab.state.run_dir(1)).expect("made");
    let settled = Settled::Reverted("nobody confirmed it".into());
    lab.state.lock_pending("test").and_then(|guard| guard.settle(1, &settled)).expect("written");
}

#[test]
fn who_cannot_read_what_binds_him_changes_nothing_and_says_why() {
    let (case, mut count) = (case(), 0);
    let ends = Ends::of(&case);
    for (file, put) in [("pending", wait as fn(&Lab)), ("locks", lock)] {
        let (lab, path, whole) = with(put, file);
        for bytes in damages(&whole) {
            fs::write(&path, &bytes).expect("written");
            let ran = lab.apply(&case.desired(), None);
            let place = format!("{file}: {}: {:?}", String::from_utf8_lossy(&bytes), ran.ended);
            // Only the sum is lost: it is what it was.
            let is_whole = bytes == whole[..whole.len() - 10];
            let said = ran.ended.expect_err("it binds").to_string();
            let refused = said.contains(&format!("{file} says")) && said.contains("is damaged");
            assert!(ran.executed.is_empty() && refused != is_whole, "{place}");
            assert_eq!(fs::read(&path).expect("it is there"), bytes, "{place}");
            count += 1;
        }
        fs::remove_file(&path).expect("as it said");
        assert_arrives(&lab, (&case.desired(), &ends.goal), file);
    }
    tell("F-04", "note of what waits, and locks, cut, turned, zeroed", count);
}

#[test]
fn what_became_of_a_run_is_told_as_it_was_or_not_at_all() {
    let (lab, path, whole) = with(settle, "runs/000001/settled");
    let told = lab.state.settled(1).expect("it can be read");
    let all = damages(&whole);
    for bytes in &all {
        fs::write(&path, bytes).expect("written");
        let now = lab.state.settled(1);
        assert!(now.is_err() || now == Ok(told.clone()), "{}: {now:?}", String::from_utf8_lossy(bytes));
    }
    tell("F-04", "what became of a run, damaged", all.len() as u64);
}

#[test]
fn a_format_that_cannot_be_told_is_refused() {
    let (case, mut count) = (case(), 0);
    let ends = Ends::of(&case);
    let (_, _, whole) = with(|_| (), "version");
    for bytes in damages(&whole) {
        let lab = Lab::of(&case);
        lab.state.make().expect("the state is ours");
        let path = lab.state.root().join("version");
        fs::write(&path, &bytes).expect("written");
        let ran = lab.apply(&case.desired(), None);
        let place = format!("{bytes:?}: {:?}", ran.ended);
        if ran.ended.is_err() {
            assert!(ran.executed.is_empty() && place.contains("format"), "{place}");
            fs::write(&path, &whole).expect("as it said");
        }
        assert_arrives(&lab, (&case.desired(), &ends.goal), &place);
        count += 1;
    }
    tell("F-04", "version of the state, damaged", count);
}

#[test]
fn how_many_runs_to_keep_is_asked_for_again() {
    let case = case();
    let terms = Terms { keep_runs: Some(500), ..Terms::default() };
    let lab = Lab::of(&case);
    assert!(lab.apply_on(&terms, &case.desired(), None).is_fine());
    let path = lab.state.root().join("keep");
    let whole = fs::read(&path).expect("it was said");
    let all = damages(&whole);
    for bytes in &all {
        fs::write(&path, bytes).expect("written");
        let back = lab.rollback(None, None);
        let place = format!("{}: {:?} {:?}", String::from_utf8_lossy(bytes), back.ended, back.notes);
        let told = back.notes.iter().any(|note| note.contains("keep says how many to keep, and is damaged"));
        assert!(back.is_fine() && told != (*bytes == whole[..whole.len() - 10]), "{place}");
        assert_eq!(fs::read(&path).expect("it is there"), *bytes, "{place}");
    }
    assert!(lab.apply_on(&terms, &case.desired(), None).is_fine());
    assert_eq!(fs::read(&path).expect("said anew"), whole);
    tell("F-04", "what was said of keeping, damaged", all.len() as u64);
}
