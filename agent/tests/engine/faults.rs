//! Cut off after each journal record: the next run reaches the same host, and owes nobody anything.

use crate::world::{apply, converge, raw_host, web};
use agent::engine::Faults;
use agent::system::View;
use model::Outcome;
use std::collections::BTreeSet;

/// Runs until the record at which nothing is cut off any more.
fn at_every_record(check: impl Fn(u64, &agent::system::Layer<'_>, crate::world::Ran)) {
    let whole = apply(&raw_host(), &web()).records;
    assert!(whole > 20, "the catalog has something to lose: {whole} records");
    for record in 0..whole {
        let host = raw_host();
        let faults = Faults { crash_after_record: Some(record), ..Faults::default() };
        let cut = converge(&host, &web(), faults, BTreeSet::new());
        assert!(cut.outcome.dead.is_some(), "cut off after record {record}");
        assert_eq!(cut.records, record);
        check(record, &host, cut);
    }
}

#[test]
fn the_next_run_reaches_the_same_host() {
    let reference = raw_host();
    apply(&reference, &web());
    at_every_record(|record, host, cut| {
        let next = converge(host, &web(), Faults::default(), cut.status.owed);
        assert!(next.outcome.report.is_converged(), "after record {record}: {:?}", next.outcome);
        assert_eq!(host.snapshot(), reference.snapshot(), "after record {record}");
        assert!(next.status.owed.is_empty(), "after record {record}");
    });
}

#[test]
fn a_notification_fires_however_the_run_is_cut_off() {
    at_every_record(|record, host, cut| {
        let ran_before = host.ran().len();
        converge(host, &web(), Faults::default(), cut.status.owed);
        let ran = host.ran();
        assert!(!ran.is_empty(), "after record {record} the command was never notified");
        // At least once; and not again where it had been settled.
        assert!(ran.len() <= 2 && ran_before <= 1, "after record {record}: {ran:?}");
    });
}

#[test]
fn nothing_changes_before_it_is_announced() {
    at_every_record(|record, host, cut| {
        let announced = cut.status.acts.len();
        let started = cut.status.acts.values().filter(|act| act.outcome == Outcome::Open).count();
        if announced == 0 {
            assert_eq!(host.snapshot(), raw_host().snapshot(), "after record {record}");
        }
        // One op of each class may be under way at once.
        assert!(started <= 4, "after record {record}: {started} ops open");
    });
}

/// A view panics where it is told to execute: that is what it stands in for here.
#[test]
#[should_panic(expected = "a view is only read")]
fn a_bug_in_a_worker_ends_the_run_and_is_not_waited_for() {
    let layer = raw_host();
    converge(&View::new(&layer, None), &web(), Faults::default(), BTreeSet::new());
}
