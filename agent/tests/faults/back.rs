//! The ways back: several runs at once, against somebody else's changes, by itself after a failure.

use crate::corpus::Case;
use crate::counts::{is_full, tell};
use crate::lab::{Fault, Lab};
use crate::matrix::{WAYS, assert_is, each_fault};
use agent::session::Drift;
use agent::system::{Package, PackageStatus, System};
use model::{Act, Catalog, Common, Id, Node, Op, Outcome};
use serde_json::json;
use wire::{OnFailure, Terms, Which};

/// A host on which something has been done already, the number of that run, and what the host was at its end.
fn anchored(case: &Case) -> (Lab, u64, String) {
    let lab = Lab::of(case);
    let params = json!({ "content": "anchor\n" });
    let (id, origins) = (Id::new("file", "/srv/anchor"), Vec::new());
    let node = Node { id, origins, params, common: Common::default() };
    let catalog = Catalog::new(vec![node], Vec::new()).expect("a sound catalog");
    assert!(lab.apply(&catalog, None).is_fine(), "{}", case.name);
    let run = lab.state.numbers().expect("they can be listed").pop().expect("a run");
    let start = lab.host.snapshot();
    (lab, run, start)
}

/// Forward, back, and forward again.
fn three_runs(case: &Case, lab: &Lab, second: Option<Fault>) {
    lab.apply(&case.desired(), None);
    lab.rollback(None, second);
    lab.apply(&case.desired(), None);
}

fn reversible() -> impl Iterator<Item = Case> {
    Case::all().into_iter().filter(|case| case.reversible)
}

/// Some of them, where not everything is to be tried.
fn sample() -> impl Iterator<Item = Case> {
    reversible().step_by(if is_full() { 1 } else { 4 })
}

#[test]
fn three_runs_are_taken_back_as_one_and_brought_again() {
    let mut count = 0;
    for case in reversible() {
        let (lab, run, start) = anchored(&case);
        three_runs(&case, &lab, None);
        let goal = lab.host.snapshot();
        let back = lab.back((Which::After(run), Drift::Refuse), None);
        assert!(back.is_fine(), "{}: {:?} {:?}", case.name, back.ended, back.failures);
        assert_is(&lab, &start, &case.name);
        let begin = lab.runs().pop().and_then(|run| run.begin).expect("it is journalled");
        assert_eq!((begin.undoes, begin.through), (Some(run + 1), Some(run + 3)), "{}", case.name);
        count += 1;
        // That a command was undone nothing undoes.
        if !case.kinds().contains("exec") {
            let again = lab.back((Which::Last, Drift::Refuse), None);
            assert!(again.is_fine(), "{}: {:?} {:?}", case.name, again.ended, again.failures);
            assert_is(&lab, &goal, &case.name);
            count += 1;
        }
    }
    tell("F-20", "three runs back, and forward again", count);
}

#[test]
fn three_runs_are_taken_back_whatever_befell_the_one_in_the_middle() {
    let mut count = 0;
    for case in sample() {
        count += each_fault(Fault::Written, |fault| {
            let (lab, run, start) = anchored(&case);
            lab.apply(&case.desired(), None);
            let hurt = !lab.rollback(None, Some(fault)).is_fine();
            lab.apply(&case.desired(), None);
            if hurt {
                let (back, place) =
                    (lab.back((Which::After(run), Drift::Refuse), None), format!("{}, {fault:?}", case.name));
                assert!(back.is_fine(), "{place}: {:?} {:?}", back.ended, back.failures);
                assert_is(&lab, &start, &place);
            }
            hurt
        });
    }
    assert!(count > 20, "{count} faults");
    tell("F-20", "three runs back, one of them cut off", count);
}

#[test]
fn going_back_over_several_runs_is_taken_up_where_it_was_cut_off() {
    let mut count = 0;
    for case in sample() {
        count += each_fault(Fault::NotWritten, |fault| {
            let (lab, run, start) = anchored(&case);
            three_runs(&case, &lab, None);
            let hurt = !lab.back((Which::After(run), Drift::Refuse), Some(fault)).is_fine();
            if hurt {
                let (back, place) = (lab.rollback(None, None), format!("{}, {fault:?}", case.name));
                assert!(back.is_fine(), "{place}: {:?} {:?}", back.ended, back.failures);
                assert_is(&lab, &start, &place);
            }
            hurt
        });
    }
    assert!(count > 20, "{count} faults");
    tell("F-20", "going back several runs cut off", count);
}

#[test]
fn a_run_that_fails_takes_itself_back() {
    let mut count = 0;
    let terms = Terms { on_failure: OnFailure::Rollback, ..Terms::default() };
    for case in reversible() {
        for way in &WAYS[2..] {
            count += each_fault(*way, |fault| {
                let lab = Lab::of(&case);
                let start = lab.host.snapshot();
                let hurt = !lab.apply_on(&terms, &case.desired(), Some(fault)).is_fine();
                if hurt {
                    assert_is(&lab, &start, &format!("{}, {fault:?}", case.name));
                }
                hurt
            });
        }
    }
    assert!(count > 50, "{count} faults");
    tell("F-20", "rolled back by itself after a failure", count);
}

#[test]
fn what_somebody_changed_since_is_told_and_taken_back_only_by_force() {
    let mut count = 0;
    for case in reversible() {
        let lab = Lab::of(&case);
        let start = lab.host.snapshot();
        let ran = lab.apply(&case.desired(), None);
        let wrote = |op: &Op| if let Op::WriteFile { path, .. } = op { Some(path.to_string()) } else { None };
        let Some(path) = ran.executed.iter().rev().find_map(wrote) else { continue };
        lab.host.put_file(&path, b"by hand\n", 0o640);
        let run = lab.runs().pop().expect("a run").run();
        let refused = lab.back((Which::One(run), Drift::Refuse), None);
        assert!(refused.failures.iter().any(|why| why.contains("changed since")), "{}", case.name);
        assert!(lab.host.snapshot().contains(&path), "{}: it is gone", case.name);
        lab.back((Which::One(run), Drift::Overwrite), None);
        assert_is(&lab, &start, &case.name);
        count += 1;
    }
    assert!(count > 5, "{count} hosts");
    tell("F-20", "rolled back over drift", count);
}

#[test]
fn a_journal_that_is_damaged_on_the_way_is_refused_by_name() {
    let case = reversible().next().expect("a case");
    let (lab, run, _) = anchored(&case);
    three_runs(&case, &lab, None);
    let journal = lab.state.run_dir(run + 2).join("journal");
    let mut bytes = std::fs::read(&journal).expect("it is there");
    bytes[40] ^= 1;
    #[expect(clippy::disallowed_methods, reason = "damages a scratch file")]
    std::fs::write(&journal, bytes).expect("it is ours");
    let back = lab.back((Which::After(run), Drift::Refuse), None);
    let why = back.ended.expect_err("it cannot be trusted").to_string();
    assert!(why.contains(&format!("the journal of run {} is damaged", run + 2)), "{why}");
    assert!(back.executed.is_empty());
}

/// A dependency that a transaction brought before it was cut off, which nothing in the journal names.
fn bring_dependency(lab: &Lab) {
    let (status, version) = (PackageStatus::Unpacked, "1.0-1".to_owned());
    lab.host.put_package("libdep", Some(Package { status, version, held: false }));
}

#[test]
fn what_a_transaction_brought_before_it_was_cut_off_goes_too() {
    let mut count = 0;
    for case in Case::all() {
        each_fault(Fault::NotWritten, |fault| {
            let lab = Lab::of(&case);
            let hurt = !lab.apply(&case.desired(), Some(fault)).is_fine();
            let is_open = |act: &Act| act.outcome == Outcome::Open && matches!(act.op, Op::Packages(_));
            let run = lab.runs().pop().filter(|run| run.acts.values().any(is_open));
            if let Some(run) = run {
                bring_dependency(&lab);
                // The next run may have made up for it.
                if count % 2 == 1 {
                    lab.apply(&case.desired(), None);
                }
                lab.back((Which::One(run.run()), Drift::Overwrite), None);
                let gone = |name: &str| lab.host.package(name).expect("memory can be read").is_none();
                assert!(gone("libdep"), "{}, {fault:?}", case.name);
                count += 1;
            }
            hurt
        });
    }
    assert!(count > 2, "{count} transactions");
    tell("F-07", "a transaction that was cut off taken back", count);
}
