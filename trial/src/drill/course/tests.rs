//! Drills on a host that is made up: what it answers after each call is said ahead.

use super::{Drilling, End};
use crate::drill::{Drilled, Put};
use model::{CheckEnd, CheckResult, CheckSpec, DrillSpec, Fault, Repair, Sight};
use std::cell::{Cell, RefCell};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// It has the fault from `put` on, until one of these takes it away.
#[derive(Default)]
struct Host {
    is_faulty: Cell<bool>,
    /// What it is not even by, whatever else happens.
    uneven: Vec<String>,
    /// The number of looks after which it has repaired itself.
    heals: Cell<Option<u32>>,
    run: Cell<u64>,
    impossible: bool,
    /// It does not answer while it has the fault.
    is_silent: bool,
    /// It has taken the fault back by itself, when it is asked to.
    is_over: bool,
    lock: Option<&'static str>,
    calls: RefCell<Vec<&'static str>>,
}

impl Host {
    fn tick(&self) {
        if let (true, Some(left)) = (self.is_faulty.get(), self.heals.get()) {
            self.heals.set(left.checked_sub(1));
            if left == 0 {
                self.is_faulty.set(false);
                self.run.set(self.run.get() + 1);
            }
        }
    }
}

impl Drilled for Host {
    fn locked(&self) -> Result<Option<String>, String> {
        Ok(self.lock.map(str::to_owned))
    }
    fn look(&self, checks: &[CheckSpec]) -> Result<Vec<CheckResult>, String> {
        self.tick();
        if self.is_silent && self.is_faulty.get() {
            return Err("no answer".to_owned());
        }
        let end = if self.is_faulty.get() { CheckEnd::Failed } else { CheckEnd::Passed };
        let result =
            |check: &CheckSpec| CheckResult { name: check.name.clone(), end, ..CheckResult::default() };
        Ok(checks.iter().map(result).collect())
    }
    fn plan(&self) -> Result<Vec<String>, String> {
        self.tick();
        Ok(self.uneven.clone())
    }
    fn apply(&self) -> Result<(), String> {
        self.calls.borrow_mut().push("apply");
        self.is_faulty.set(false);
        Ok(())
    }
    fn put(&self, fault: &Fault) -> Result<Put, String> {
        self.calls.borrow_mut().push("put");
        assert!(fault.seconds >= 1);
        if self.impossible {
            return Ok(Put::Impossible("no nft".to_owned()));
        }
        self.is_faulty.set(true);
        Ok(Put::There("done".to_owned()))
    }
    fn take_back(&self, fault: &Fault) -> Result<Option<String>, String> {
        assert_eq!((fault.name.as_str(), fault.by.as_str()), ("d", "ann"));
        self.calls.borrow_mut().push("undo");
        let told = if self.is_faulty.replace(false) { "gone".to_owned() } else { String::new() };
        Ok((!self.is_over).then_some(told))
    }
    fn last_run(&self) -> Result<u64, String> {
        self.tick();
        Ok(self.run.get())
    }
}

fn ran(host: &Host, (sees, repair): (&[Sight], Repair)) -> (End, String, String) {
    let drill = DrillSpec {
        name: "d".into(),
        sort: "stop".into(),
        sees: sees.to_vec(),
        seen: 1,
        repair: Some(repair),
        within: 1,
        ..DrillSpec::default()
    };
    let checks = [CheckSpec { name: "web".into(), timeout: 1, ..CheckSpec::default() }];
    let stop = AtomicBool::new(false);
    let with =
        Drilling { drill: &drill, checks: &checks, by: "ann", longest: Duration::from_secs(60), stop: &stop };
    let ran = with.on(host);
    (ran.end, ran.faults.join("; "), host.calls.borrow().join(" "))
}

fn check() -> Sight {
    Sight::Check("web".to_owned())
}

#[test]
fn what_is_seen_and_mended_passes_and_is_taken_back() {
    for (repair, calls) in
        [(Repair::Undo, "put undo"), (Repair::Apply, "put apply undo"), (Repair::Itself, "put undo")]
    {
        let heals = Cell::new((repair == Repair::Itself).then_some(3));
        let host = Host { heals, ..Host::default() };
        assert_eq!(ran(&host, (&[check()], repair)), (End::Passed, String::new(), calls.to_owned()));
    }
    let host = Host { heals: Cell::new(Some(1)), ..Host::default() };
    assert_eq!(ran(&host, (&[Sight::Agent], Repair::Agent)).0, End::Passed);
}

#[test]
fn what_nobody_sees_or_mends_fails_and_is_taken_back() {
    let host = Host::default();
    let (end, why, calls) = ran(&host, (&[Sight::Drift], Repair::Undo));
    assert_eq!((end, calls.as_str()), (End::Failed, "put undo"));
    assert_eq!(why, "not seen within 1 s: no plan had a change");
    let (end, why, calls) = ran(&Host::default(), (&[check()], Repair::Itself));
    assert_eq!((end, calls.as_str()), (End::Failed, "put undo"));
    assert!(why.starts_with("not even again within 1 s: check web failed"), "{why}");
    // Nobody can tell that it was the agent.
    let (end, why, _) = ran(&Host::default(), (&[], Repair::Agent));
    assert_eq!(end, End::Failed);
    assert!(why.starts_with("not even again within 1 s: "), "{why}");
}

#[test]
fn a_host_that_does_not_answer_has_not_said_that_a_check_passes() {
    let host = Host { is_silent: true, ..Host::default() };
    let (end, why, calls) = ran(&host, (&[check()], Repair::Undo));
    assert_eq!((end, calls.as_str()), (End::Failed, "put undo"));
    assert_eq!(why, "not seen within 1 s: whether the check web passes could not be told: no answer");
}

#[test]
fn what_is_even_because_the_fault_is_over_was_made_so_by_nobody() {
    let host = Host { heals: Cell::new(Some(3)), is_over: true, ..Host::default() };
    let (end, why, calls) = ran(&host, (&[check()], Repair::Itself));
    assert_eq!((end, calls.as_str()), (End::Failed, "put undo"));
    assert_eq!(why, "the fault was over, after 12 s, before the host was seen to be even");
}

#[test]
fn a_host_that_is_not_even_gets_no_fault_and_one_that_cannot_have_it_has_not_passed() {
    let host = Host { uneven: vec!["file./x".into()], ..Host::default() };
    let (end, why, calls) = ran(&host, (&[], Repair::Undo));
    assert_eq!((end, calls.as_str()), (End::Failed, ""));
    assert_eq!(why, "the host is not even before the drill: a plan has changes: file./x");
    let host = Host { lock: Some("ann"), ..Host::default() };
    assert_eq!(
        ran(&host, (&[], Repair::Undo)),
        (End::Locked("ann".to_owned()), String::new(), String::new())
    );
    let host = Host { impossible: true, ..Host::default() };
    assert_eq!(ran(&host, (&[], Repair::Undo)).0, End::Untold("no nft".to_owned()));
}
