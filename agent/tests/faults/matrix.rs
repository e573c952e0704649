//! One fault: what is true right after it, that the next run makes up for it, and that a rollback brings back what was.

use crate::corpus::Case;
use crate::counts::tell;
use crate::lab::{Fault, Lab, Ran};
use crate::shaky::When;
use agent::kinds::ALL;
use agent::undo::Keep;
use model::{Catalog, EdgeKind, FileState, Op, Outcome, PathState, State, Status, UnitAction};
use std::collections::BTreeSet;

/// More faults than any case has records.
const MANY: u64 = 1000;

/// The host before and after a run that nothing befell.
pub struct Ends {
    pub start: String,
    pub goal: String,
}

impl Ends {
    pub fn of(case: &Case) -> Self {
        let lab = Lab::of(case);
        let start = lab.host.snapshot();
        let ran = lab.apply(&case.desired(), None);
        assert!(ran.is_fine(), "{}: {:?}", case.name, ran.ended);
        assert!(ran.executed.len() >= 3, "{}: there is something to lose", case.name);
        Self { start, goal: lab.host.snapshot() }
    }
}

/// Tries faults until there is nothing left that they could befall. How many befell a run.
pub fn each_fault(kind: fn(u64) -> Fault, mut befalls: impl FnMut(Fault) -> bool) -> u64 {
    let count = (1..MANY).take_while(|number| befalls(kind(*number))).count();
    count as u64
}

/// The four ways in which a run can be hurt at one of its steps.
pub const WAYS: [fn(u64) -> Fault; 4] = [
    Fault::NotWritten,
    Fault::Written,
    |number| Fault::Op(number, When::Before),
    |number| Fault::Op(number, When::After),
];

/// For every case and fault: a host on which the run was hurt, what it came to, and words for where we are.
fn on_every_fault(id: &str, what: &str, check: impl Fn(&Case, &Ends, (&Lab, &Ran), &str)) {
    let mut count = 0;
    for case in Case::all() {
        let ends = Ends::of(&case);
        for way in WAYS {
            count += each_fault(way, |fault| {
                let lab = Lab::of(&case);
                let ran = lab.apply(&case.desired(), Some(fault));
                let hurt = !ran.is_fine();
                if hurt {
                    check(&case, &ends, (&lab, &ran), &format!("{}, {fault:?}", case.name));
                }
                hurt
            });
        }
    }
    assert!(count > 500, "{count} faults");
    tell(id, what, count);
}

/// The host is in this state.
#[track_caller]
pub fn assert_is(lab: &Lab, state: &str, place: &str) {
    let now = lab.host.snapshot();
    let difference = similar::TextDiff::from_lines(state, &now);
    assert!(now == state, "{place}:\n{}", difference.unified_diff().header("wanted", "found"));
}

/// A run without faults arrives, and the one after it changes nothing.
#[track_caller]
pub fn assert_arrives(lab: &Lab, (catalog, goal): (&Catalog, &str), place: &str) {
    assert_settles(lab, catalog, place);
    assert_is(lab, goal, place);
}

/// A run comes to a good end, owes nothing, and the one after it changes nothing.
#[track_caller]
fn assert_settles(lab: &Lab, catalog: &Catalog, place: &str) {
    let next = lab.apply(catalog, None);
    assert!(next.is_fine(), "{place}: {:?} {:?}", next.ended, next.failures);
    assert_eq!(lab.state.past().expect("it can be read").owed, BTreeSet::new(), "{place}");
    let runs = lab.state.numbers().expect("they can be listed");
    let again = lab.apply(catalog, None);
    assert!(again.is_fine() && again.executed.is_empty(), "{place}: {:?}", again.executed);
    assert_eq!(lab.state.numbers().expect("they can be listed"), runs, "{place}");
}

/// A rollback came to its end: what was there before is there again.
#[track_caller]
pub fn assert_is_back((case, ends): (&Case, &Ends), (lab, back): (&Lab, &Ran), place: &str) {
    if case.reversible {
        assert!(back.is_fine(), "{place}: {:?} {:?}", back.ended, back.failures);
        assert_is(lab, &ends.start, place);
    }
}

/// Forward again, from whatever a rollback left.
#[track_caller]
pub fn assert_goes_on((case, ends): (&Case, &Ends), lab: &Lab, place: &str) {
    assert_settles(lab, &case.desired(), place);
    // What cannot be brought back exactly may satisfy the catalog in another way.
    if case.reversible {
        assert_is(lab, &ends.goal, place);
    }
}

/// Whoever did something to a host was announced before, whoever is said to be done was, and what stood there can be had back.
#[track_caller]
pub fn assert_journal_is_true(lab: &Lab, ran: &Ran, place: &str) {
    let Some(last) = lab.runs().pop() else { return };
    let executed: Vec<String> = ran.executed.iter().map(ToString::to_string).collect();
    let announced: Vec<String> = last.acts.values().map(|act| act.op.to_string()).collect();
    for op in &executed {
        assert!(announced.contains(op), "{place}: {op} was never announced");
    }
    for act in last.acts.values() {
        let done = matches!(act.outcome, Outcome::Done(..));
        assert!(!done || executed.contains(&act.op.to_string()), "{place}: {} was not done", act.op);
        for (subject, before) in &act.before {
            if let State::Path(PathState::File(FileState { content, .. })) = before {
                assert!(lab.state.store().recall(content).is_ok(), "{place}: {subject} was not kept");
            }
        }
    }
}

/// Where somebody who notifies was ever at work, who is notified was done after that.
#[track_caller]
pub fn assert_answered(runs: &[Status], catalog: &Catalog, place: &str) {
    let acts: Vec<_> = runs.iter().flat_map(|run| run.acts.values()).collect();
    for edge in catalog.edges().iter().filter(|edge| edge.kind == EdgeKind::Notify) {
        let [from, to] = [edge.from, edge.to].map(|at| &catalog.nodes()[at].id);
        let Some(changed) = acts.iter().rposition(|act| act.nodes.contains(from)) else { continue };
        let done = |outcome: &Outcome| matches!(outcome, Outcome::Done(..));
        let answer = acts[changed..].iter().any(|act| act.nodes.contains(to) && done(&act.outcome));
        let acts: Vec<_> = acts.iter().map(|act| act.op.to_string()).collect();
        assert!(answer, "{place}: {from} changed and {to} was never told: {acts:#?}");
    }
}

#[test]
fn the_corpus_has_all_kinds() {
    let cases = Case::all();
    assert!(cases.len() >= 12, "{} catalogs", cases.len());
    let kinds: BTreeSet<String> = cases.iter().flat_map(Case::kinds).collect();
    assert_eq!(kinds, ALL.iter().map(|kind| kind.name().to_owned()).collect());
}

#[test]
fn without_a_fault_everybody_is_told_once() {
    for case in Case::all() {
        let (lab, catalog) = (Lab::of(&case), case.desired());
        lab.apply(&catalog, None);
        let runs = lab.runs();
        let last = runs.last().expect("a run");
        assert_answered(std::slice::from_ref(last), &catalog, &case.name);
        for edge in catalog.edges().iter().filter(|edge| edge.kind == EdgeKind::Notify) {
            let told = &catalog.nodes()[edge.to].id;
            let answers = |op: &Op| {
                matches!(op, Op::Run(_) | Op::Unit { action: UnitAction::Restart | UnitAction::Reload, .. })
            };
            let count = last.acts.values().filter(|act| act.nodes.contains(told) && answers(&act.op)).count();
            assert!(count <= 1, "{}: {told} was told {count} times", case.name);
        }
        assert_arrives(&lab, (&catalog, &Ends::of(&case).goal), &case.name);
    }
}

#[test]
fn the_journal_is_true_whatever_befalls_the_run() {
    on_every_fault("F-03", "the journal against the host", |_, _, (lab, ran), place| {
        assert_journal_is_true(lab, ran, place);
    });
}

#[test]
fn the_next_run_arrives_and_everybody_is_told() {
    on_every_fault("F-03", "the next run arrives", |case, ends, (lab, _), place| {
        let catalog = case.desired();
        assert_arrives(lab, (&catalog, &ends.goal), place);
        let before = usize::from(case.before().is_some());
        assert_answered(&lab.runs()[before..], &catalog, place);
    });
}

#[test]
fn a_rollback_brings_back_what_was_whatever_befell_the_run() {
    on_every_fault("F-20", "rolled back after a fault", |case, ends, (lab, _), place| {
        let back = lab.rollback(None, None);
        assert_is_back((case, ends), (lab, &back), place);
        assert_goes_on((case, ends), lab, place);
    });
}
