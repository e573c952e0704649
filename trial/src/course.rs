//! The course of one test in a box: make it, converge it, converge it again (nothing may change), run what tests it, roll it back (it
//! has to be as it was made), destroy it. The converging is a push like any other. What stays is brought `back`.

mod back;

use crate::boxes::{Driver, Kept, Raw, Stay, TestBox, run_until};
use crate::drill::{self, Drilling, InBox};
use crate::order::{Asked, Wanted};
use crate::outcome::{Fault, Outcome, Skipped, Step};
use crate::subject::Means;
use crate::suite::{BoxCase, Ends, Suite};
use agent::os::host::Mask;
use dsl::FoundTree;
use fleet::{Agents, End};
use model::{CheckEnd, CheckSpec, Digest, DrillSpec, NodeStatus, Origin, SubjectInfo};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wire::{Blobs, Ending};

/// Longest list of what is not as it was, in lines.
const MOST: usize = 20;
/// Of what a suite printed so many lines are told, the last ones.
const TAIL: usize = 20;

/// Gives the contents of files of the site, and of directories of it.
pub type Contents<'a> = dyn Fn(BTreeMap<Digest, PathBuf>, Vec<Arc<FoundTree>>) -> Box<dyn Blobs> + Sync + 'a;

/// What all tests of a call share.
pub struct Course<'a> {
    /// For compiling.
    pub means: Means<'a>,
    /// What checks can look at.
    pub subjects: &'a [&'a dyn SubjectInfo],
    /// What is put into boxes.
    pub agents: &'a Agents,
    /// Contents of files.
    pub contents: &'a Contents<'a>,
    /// What makes the boxes.
    pub driver: &'a dyn Driver,
    /// What becomes of boxes that are done with.
    pub after: After,
    /// Set by the user who wants it to stop.
    pub stop: &'a AtomicBool,
}

/// What becomes of a box that is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It is destroyed.
    Destroyed,
    /// It is left to be looked at.
    Kept,
}

/// One test under way.
struct Going<'a> {
    course: &'a Course<'a>,
    case: &'a BoxCase,
    steps: Vec<Step>,
    faults: Vec<Fault>,
    skipped: Vec<Skipped>,
    /// The runs that changed the box, as long as they have not been rolled back.
    runs: Vec<u64>,
    /// Whether the box may have changed by a run whose number nobody has told.
    is_unsure: bool,
    /// Hides the secrets that the box was given: a suite may print them.
    mask: Mask,
}

impl Course<'_> {
    /// Takes one test from its beginning to its end.
    pub fn run(&self, case: &BoxCase) -> Outcome {
        let since = Instant::now();
        let mut going = Going {
            course: self,
            case,
            steps: Vec::new(),
            faults: Vec::new(),
            skipped: Vec::new(),
            runs: Vec::new(),
            is_unsure: false,
            mask: Mask::default(),
        };
        going.all();
        let Going { steps, faults, skipped, .. } = going;
        let (name, origin) = (case.name.clone(), case.origin.clone());
        Outcome { name, origin, took: since.elapsed(), steps, faults, skipped }
    }
}

impl Going<'_> {
    fn all(&mut self) {
        if self.is_stopped() {
            return;
        }
        let driver = self.course.driver;
        let since = Instant::now();
        let mut made = match driver.create() {
            Ok(made) => made,
            Err(failure) => return self.fault(format!("the box could not be made: {failure}")),
        };
        self.done("create", format!("{}{}", driver.name(), notes(&*made)), since);
        // What a host that stays has done before is none of this test's.
        let before = match made.stay() {
            Stay::Nothing => None,
            Stay::Before => self.ask(&*made, Wanted::Runs).runs().map(<[_]>::to_vec),
        };
        if let Some(run) = before.as_deref().and_then(back::left).map(|run| &run.begin) {
            let (typed, what) = (made.by_hand(Some(run.run)), &run.command);
            self.done("create", format!("`{what}` was never brought back: `{typed}` does it"), since);
        }
        self.inside(&mut *made);
        if self.course.after == After::Kept {
            return self.keep(made);
        }
        if made.stay() == Stay::Before {
            self.bring_back(&mut *made, before);
        }
        let since = Instant::now();
        match made.destroy() {
            Ok(()) => self.done("destroy", String::new(), since),
            Err(failure) => self.fault(format!("the box could not be destroyed: {failure}")),
        }
    }

    fn keep(&mut self, made: Box<dyn TestBox>) {
        let since = Instant::now();
        match made.keep().and_then(Kept::written) {
            Ok(Kept { name, enter, remove, note }) => {
                let mut told = vec![format!("enter {name} by `{enter}`"), note];
                if !remove.is_empty() {
                    told.insert(1, format!("remove it by `keel test --destroy {name}`"));
                }
                told.retain(|part| !part.is_empty());
                self.done("keep", told.join("; "), since);
            }
            Err(failure) => self.fault(format!("the box could not be kept: {failure}")),
        }
    }

    /// Everything between making the box and destroying it; what follows from a failure is not tried.
    fn inside(&mut self, made: &mut dyn TestBox) {
        let Some((checks, drills)) = self.converge(made) else { return };
        if self.is_stopped() || !self.again(made) {
            return;
        }
        if !checks.is_empty() && !self.is_stopped() {
            self.check(made, checks.clone());
        }
        for drill in &drills {
            if self.is_stopped() {
                return;
            }
            self.drill(made, drill, &checks);
        }
        for suite in &self.case.suites {
            if self.is_stopped() {
                return;
            }
            self.suite(made, suite);
        }
        if !self.is_stopped() && self.case.ends == Ends::RolledBack {
            self.roll_back(made);
        }
    }

    fn is_stopped(&mut self) -> bool {
        let is_stopped = self.course.stop.load(Ordering::Relaxed);
        if is_stopped {
            self.fault("stopped before its end".to_owned());
        }
        is_stopped
    }

    fn done(&mut self, name: &'static str, told: String, since: Instant) {
        self.steps.push(Step { name, told: self.mask.hide(&told), took: since.elapsed() });
    }

    fn fault(&mut self, message: String) {
        self.fault_at(self.case.origin.clone(), message);
    }

    fn fault_at(&mut self, origin: Origin, message: String) {
        self.faults.push(Fault { origin, message: self.mask.hide(&message) });
    }

    fn ask(&self, made: &dyn TestBox, wanted: Wanted) -> Asked {
        Asked::of(self.course, self.case, (called(made, self.case), &|| made.remote()), wanted)
    }

    /// The first run; what is to be looked at then, where the box is as desired.
    fn converge(&mut self, made: &dyn TestBox) -> Option<(Vec<CheckSpec>, Vec<DrillSpec>)> {
        let since = Instant::now();
        let asked = self.ask(made, Wanted::Converged);
        let report = asked.report();
        self.mask = asked.mask().clone();
        self.ran(&asked);
        self.done("converge", format!("{} changed, {} unchanged", report.changed, report.unchanged), since);
        self.failures(&asked, "converging").then(|| (asked.checks().to_vec(), asked.drills().to_vec()))
    }

    /// Puts a fault into the box, and looks what comes of it. One that the box cannot have is told, and has not passed.
    fn drill(&mut self, made: &dyn TestBox, drill: &DrillSpec, checks: &[CheckSpec]) {
        let since = Instant::now();
        let ask = |wanted| self.ask(made, wanted);
        let by = "keel test";
        let with = Drilling { drill, checks, by, longest: Duration::from_secs(3600), stop: self.course.stop };
        let ran = with.on(&InBox::new(&ask));
        let told = |step: &Step| match step.told.as_str() {
            "" => step.name.to_owned(),
            told => format!("{} {} ms: {told}", step.name, step.took.as_millis()),
        };
        let parts: Vec<String> = ran.steps.iter().map(told).collect();
        let parts = parts.join("\n");
        let end = match ran.end {
            drill::End::Passed => format!("passed\n{parts}"),
            drill::End::Failed => format!("failed\n{parts}"),
            drill::End::Untold(because) | drill::End::Locked(because) => {
                let told = format!("skipped, cannot be told here: {because}");
                let (name, origin) = (format!("drill.{}", drill.name), drill.origin.clone());
                self.skipped.push(Skipped { name, origin, because });
                told
            }
        };
        self.done("drill", format!("{}: {end}", drill.name), since);
        for why in ran.faults {
            self.fault_at(drill.origin.clone(), format!("drill {}: {why}", drill.name));
        }
    }

    /// Looks whether what the tests say of the box is so.
    fn check(&mut self, made: &dyn TestBox, checks: Vec<CheckSpec>) {
        let since = Instant::now();
        let origins: Vec<Origin> = checks.iter().map(|check| check.origin.clone()).collect();
        let asked = self.ask(made, Wanted::Checked(checks));
        let results = asked.results();
        let passed = results.iter().filter(|result| result.end == CheckEnd::Passed).count();
        self.done("checks", format!("{passed} of {} passed", origins.len()), since);
        for (result, origin) in results.iter().zip(origins) {
            let lines: Vec<String> = result.shortfalls.iter().map(ToString::to_string).collect();
            let why = if lines.is_empty() { result.because.clone() } else { lines.join("; ") };
            if result.end != CheckEnd::Passed {
                self.fault_at(origin, format!("check {} {}: {why}", result.name, result.end));
            }
        }
        if results.is_empty() {
            self.fault(format!("the checks came to no results: {}", asked.why()));
        }
    }

    /// The second run: whatever it changes is told by its name.
    fn again(&mut self, made: &dyn TestBox) -> bool {
        let since = Instant::now();
        let asked = self.ask(made, Wanted::Converged);
        self.ran(&asked);
        self.done("again", format!("{} changed", asked.report().changed), since);
        for node in asked.nodes(|status| matches!(status, NodeStatus::Changed | NodeStatus::Refreshed)) {
            let what = node.changes.join("; ");
            let message = format!("{} changes again when it is converged a second time: {what}", node.id);
            self.fault_at(node.origin.clone().unwrap_or_else(|| self.case.origin.clone()), message);
        }
        self.failures(&asked, "converging again") && asked.end() == &End::Ended(Ending::Unchanged)
    }

    /// Notes what is to be rolled back.
    fn ran(&mut self, asked: &Asked) {
        self.runs.extend(asked.run());
        self.is_unsure |= asked.run().is_none() && matches!(asked.end(), End::Trouble(_));
    }

    /// Tells what failed; true where nothing did.
    fn failures(&mut self, asked: &Asked, doing: &str) -> bool {
        let before = self.faults.len();
        self.faults.extend(asked.refusals().iter().cloned());
        let is_bad =
            |status| matches!(status, NodeStatus::Failed | NodeStatus::Unknown | NodeStatus::Skipped);
        for node in asked.nodes(is_bad) {
            let message = format!("{} {}: {}", node.id, status(node.status), node.because);
            self.fault_at(node.origin.clone().unwrap_or_else(|| self.case.origin.clone()), message);
        }
        let is_well = matches!(asked.end(), End::Ended(Ending::Unchanged | Ending::Changed));
        if !is_well && self.faults.len() == before {
            self.fault(format!("{doing} did not come to an end: {}", asked.why()));
        }
        self.faults.len() == before
    }

    /// Runs a suite of the user's own.
    fn suite(&mut self, made: &dyn TestBox, suite: &Suite) {
        let since = Instant::now();
        let input = suite.input.as_ref().map(|file| self.case.home.tests().join(file));
        let bytes = input.map_or(Ok(Some(Vec::new())), |path| self.course.means.loader.read(&path));
        let bytes = match bytes {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                return self
                    .fault_at(suite.origin.clone(), format!("{}: its input is not there", suite.name));
            }
            Err(why) => return self.fault_at(suite.origin.clone(), format!("{}: {why}", suite.name)),
        };
        let argv: Vec<&str> = suite.argv.iter().map(String::as_str).collect();
        let stop = self.course.stop;
        let said = run_until(stop, &mut *made.remote(), (&argv, &bytes), suite.timeout);
        self.done("suite", suite.name.clone(), since);
        match said {
            Ok(said) if said.status == Some(0) => {}
            Ok(said) => {
                let ended =
                    said.status.map_or("was killed".to_owned(), |status| format!("ended with {status}"));
                let told = crate::tap::failures(&said.out)
                    .unwrap_or_else(|| tail(&format!("{}{}", said.out, said.errors)));
                self.fault_at(suite.origin.clone(), format!("{} {ended}: {told}", suite.name));
            }
            // That is told by who looks next.
            Err(_) if stop.load(Ordering::Relaxed) => {}
            Err(trouble) => self.fault_at(suite.origin.clone(), format!("{}: {trouble}", suite.name)),
        }
    }

    /// Rolls back what was converged: the box has to be as it was made.
    fn roll_back(&mut self, made: &mut dyn TestBox) {
        let since = Instant::now();
        // Whatever ran there before is none of this test's. What applies did in the middle of drills was to bring back what the first run made.
        if self.runs.is_empty() {
            return self.done("rollback", "nothing was changed".to_owned(), since);
        }
        let mut changed = 0;
        while let Some(run) = self.runs.pop() {
            let asked = self.ask(made, Wanted::RolledBack(run));
            changed += asked.report().changed;
            if !self.failures(&asked, "rolling back") {
                self.runs.push(run);
                break;
            }
        }
        let raw = made.compare().map(|raw| raw.without(&self.case.leaves));
        let told = match &raw {
            Ok(Raw::Differs(lines)) if lines.is_empty() => "raw again",
            Ok(Raw::Differs(_)) => "not raw",
            Ok(Raw::Unknown) => "boxes of this sort cannot be compared",
            Err(_) => "",
        };
        self.done("rollback", format!("{changed} changed; {told}"), since);
        match raw {
            Ok(Raw::Differs(lines)) if !lines.is_empty() => {
                let more = lines.len().saturating_sub(MOST);
                let mut told = lines.iter().take(MOST).cloned().collect::<Vec<_>>().join("\n");
                if more > 0 {
                    told.push_str(&format!("\nand {more} more"));
                }
                self.fault(format!("the box is not raw after the rollback:\n{told}"));
            }
            Ok(_) => {}
            Err(failure) => self.fault(format!("the box could not be compared: {failure}")),
        }
    }
}

/// What the user is told to call it: what he calls it himself, or else its test.
fn called<'a>(made: &'a dyn TestBox, case: &'a BoxCase) -> &'a str {
    made.host().unwrap_or(&case.name)
}

fn notes(made: &dyn TestBox) -> String {
    made.notes().into_iter().map(|note| format!("; {note}")).collect()
}

fn status(status: NodeStatus) -> &'static str {
    match status {
        NodeStatus::Failed => "failed",
        NodeStatus::Skipped => "was not tried",
        _ => "could not be told",
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}
