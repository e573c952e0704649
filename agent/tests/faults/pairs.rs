//! Two faults: the recovery from one is hurt by another; and the way back that is hurt itself.

use crate::corpus::Case;
use crate::counts::{is_full, tell};
use crate::lab::{Fault, Lab};
use crate::matrix::{Ends, WAYS, assert_arrives, assert_goes_on, assert_is_back, each_fault};
use crate::seed::seed;

/// Of the pairs of faults a run of the suite tries one in so many.
const SAMPLE: u64 = 89;

/// Whether the pair is tried: all of them, or those that the seed picks.
fn is_tried(case: &Case, pair: (Fault, Fault)) -> bool {
    let text = format!("{} {} {pair:?}", seed(), case.name);
    // FNV-1a: spread evenly, and the same on every machine.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    is_full() || (hash >> 32).is_multiple_of(SAMPLE)
}

/// All the faults that a run of `case` can meet.
fn faults(case: &Case) -> Vec<Fault> {
    let ran = |fault| Lab::of(case).apply(&case.desired(), fault);
    let records = each_fault(Fault::NotWritten, |fault| !ran(Some(fault)).is_fine());
    let ops = ran(None).executed.len() as u64;
    let [not_written, written, before, after] = WAYS;
    let of = |ways: [fn(u64) -> Fault; 2], count| (1..=count).flat_map(move |at| ways.map(|way| way(at)));
    of([not_written, written], records).chain(of([before, after], ops)).collect()
}

/// Calls `check` with every pair that is to be tried, the second one beyond the end of what it befalls included.
fn on_pairs(id: &str, what: &str, check: impl Fn(&Case, &Ends, (Fault, Fault))) {
    let mut count = 0;
    for case in Case::all() {
        let (ends, all) = (Ends::of(&case), faults(&case));
        for first in &all {
            for second in all.iter().filter(|second| is_tried(&case, (*first, **second))) {
                check(&case, &ends, (*first, *second));
                count += 1;
            }
        }
    }
    assert!(count > 50, "{count} pairs, seed {}", seed());
    tell(id, what, count);
}

#[test]
fn a_recovery_that_is_hurt_is_recovered_from() {
    on_pairs("F-03", "the next run hurt too, then one that arrives", |case, ends, (first, second)| {
        let (lab, catalog) = (Lab::of(case), case.desired());
        lab.apply(&catalog, Some(first));
        lab.apply(&catalog, Some(second));
        let place = format!("seed {}, {}, {first:?}, {second:?}", seed(), case.name);
        assert_arrives(&lab, (&catalog, &ends.goal), &place);
    });
}

#[test]
fn a_rollback_that_is_hurt_is_gone_to_its_end_by_the_next() {
    on_pairs("F-20", "the rollback after a fault hurt too, then one more", |case, ends, (first, second)| {
        let lab = Lab::of(case);
        lab.apply(&case.desired(), Some(first));
        let run = lab.runs().last().map(model::Status::run);
        lab.rollback(run, Some(second));
        let place = format!("seed {}, {}, {first:?}, {second:?}", seed(), case.name);
        let back = lab.rollback(run, None);
        assert_is_back((case, ends), (&lab, &back), &place);
        assert_goes_on((case, ends), &lab, &place);
    });
}

/// Rolls a good run back, hurt in each way; then `check`.
fn on_hurt_rollbacks(what: &str, check: impl Fn(&Case, &Ends, &Lab, &str)) {
    let mut count = 0;
    for case in Case::all() {
        let ends = Ends::of(&case);
        let changed = || {
            let lab = Lab::of(&case);
            lab.apply(&case.desired(), None);
            lab
        };
        // Where something cannot be brought back, not even this one is without failures.
        let fine = changed().rollback(None, None).ended.expect("it comes to its end");
        for way in WAYS {
            count += each_fault(way, |fault| {
                let lab = changed();
                let back = lab.rollback(None, Some(fault));
                let hurt = back.ended.as_ref().map_or(true, |report| *report != fine);
                if hurt {
                    check(&case, &ends, &lab, &format!("{}, rollback, {fault:?}", case.name));
                }
                hurt
            });
        }
    }
    assert!(count > 300, "{count} faults");
    tell("F-20", what, count);
}

#[test]
fn a_rollback_that_was_cut_off_is_gone_to_its_end() {
    on_hurt_rollbacks("a rollback hurt, then one more", |case, ends, lab, place| {
        let run = lab.runs().iter().rev().find_map(|run| run.begin.as_ref()?.undoes);
        let back = lab.rollback(run, None);
        assert_is_back((case, ends), (lab, &back), place);
    });
}

#[test]
fn a_run_after_a_rollback_that_was_cut_off_arrives() {
    on_hurt_rollbacks("a rollback hurt, then a run that arrives", |case, ends, lab, place| {
        assert_goes_on((case, ends), lab, place);
    });
}
