//! The course of one drill: the host has to be even; a fault is put on it; those that are to see it have to; the host has to be even again.
//! Whatever comes, the fault is asked to go in the end, and goes by itself where nobody could ask.

use super::host::{Drilled, Put};
use crate::outcome::Step;
use model::{CheckEnd, CheckResult, CheckSpec, DrillSpec, Fault, Keeper, Repair, Sight};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How much longer than it is needed a fault may stay, so that it does not go before it was seen.
const MARGIN: Duration = Duration::from_secs(10);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(200);
/// How often it is tried to take a fault back.
const ATTEMPTS: u32 = 5;

/// What a drill is run with.
pub struct Drilling<'a> {
    /// The drill.
    pub drill: &'a DrillSpec,
    /// All checks of the host.
    pub checks: &'a [CheckSpec],
    /// Who wants it, for those who meet it on the host.
    pub by: &'a str,
    /// The longest that its fault may stay.
    pub longest: Duration,
    /// Set by the user who wants it to end.
    pub stop: &'a AtomicBool,
}

/// What came of a drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub end: End,
    /// Its parts, in order.
    pub steps: Vec<Step>,
    /// What was not as expected.
    pub faults: Vec<String>,
}

/// How a drill ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// All was as expected.
    Passed,
    /// Something was not.
    Failed,
    /// This host cannot have it: why. That is not to have passed.
    Untold(String),
    /// Somebody has the host, or has locked it: who.
    Locked(String),
}

struct Course<'a> {
    with: &'a Drilling<'a>,
    host: &'a dyn Drilled,
    repair: Repair,
    /// What the host is told of.
    fault: Fault,
    steps: Vec<Step>,
    faults: Vec<String>,
    /// Whether the host took the fault back before anybody asked for it.
    is_over: bool,
}

impl Drilling<'_> {
    /// Runs it.
    pub fn on(&self, host: &dyn Drilled) -> Ran {
        let repair = self.drill.repair.unwrap_or_else(|| agent::drills::usual_repair(&self.drill.sort));
        let fault = self.fault(repair);
        let (steps, faults) = (Vec::new(), Vec::new());
        let mut course = Course { with: self, host, repair, fault, steps, faults, is_over: false };
        let end = course.all();
        let Course { steps, faults, .. } = course;
        Ran { end, steps, faults }
    }

    /// The fault, with its limit.
    fn fault(&self, repair: Repair) -> Fault {
        let drill = self.drill;
        let needed = Duration::from_secs(drill.seen.saturating_add(drill.within)) + MARGIN;
        Fault {
            name: drill.name.clone(),
            sort: drill.sort.clone(),
            params: drill.params.clone(),
            seconds: needed.min(self.longest).as_secs().max(1),
            by: self.by.to_owned(),
            keeper: if self.watches_agent(repair) { Keeper::Needed } else { Keeper::Any },
        }
    }

    fn watches_agent(&self, repair: Repair) -> bool {
        repair == Repair::Agent || self.drill.sees.contains(&Sight::Agent)
    }
}

impl Course<'_> {
    fn all(&mut self) -> End {
        match self.host.locked() {
            Ok(None) => {}
            Ok(Some(who)) => return End::Locked(who),
            Err(why) => return self.failed(format!("the locks of the host could not be told: {why}")),
        }
        let since = Instant::now();
        if let Err(why) = self.even() {
            self.faults.push(format!("the host is not even before the drill: {why}"));
            return End::Failed;
        }
        let watches_agent = self.with.watches_agent(self.repair);
        let before = match if watches_agent { self.host.last_run() } else { Ok(0) } {
            Ok(before) => before,
            Err(why) => return self.failed(format!("the runs of the host could not be told: {why}")),
        };
        self.done("even", format!("{} passed, no change", counted(self.with.checks.len())), since);
        let since = Instant::now();
        match self.host.put(&self.fault) {
            Ok(Put::There(told)) => self.done("fault", told, since),
            Ok(Put::Impossible(why)) => return End::Untold(why),
            Ok(Put::Locked(why)) => return End::Locked(why),
            Err(why) => {
                self.take_back();
                return self.failed(format!("the fault could not be put: {why}"));
            }
        }
        self.see(before);
        self.mend(before);
        if self.is_over && self.faults.is_empty() {
            // Whoever is to have made it even: the end of the fault may have done so.
            let seconds = self.fault.seconds;
            self.faults
                .push(format!("the fault was over, after {seconds} s, before the host was seen to be even"));
        }
        if self.faults.is_empty() { End::Passed } else { End::Failed }
    }

    fn failed(&mut self, why: String) -> End {
        self.faults.push(why);
        End::Failed
    }

    fn done(&mut self, name: &'static str, told: String, since: Instant) {
        self.steps.push(Step { name, told, took: since.elapsed() });
    }

    fn is_stopped(&self) -> bool {
        self.with.stop.load(Ordering::SeqCst)
    }

    /// Nothing where all checks pass and a plan has no change.
    fn even(&self) -> Result<(), String> {
        let results = self.host.look(self.with.checks)?;
        if let Some(short) = results.iter().find(|result| result.end != CheckEnd::Passed) {
            return Err(format!("check {} {}: {}", short.name, short.end, why(short)));
        }
        if results.len() != self.with.checks.len() {
            return Err("not all checks came to a result".to_owned());
        }
        let changes = self.host.plan()?;
        if changes.is_empty() { Ok(()) } else { Err(format!("a plan has changes: {}", changes.join(", "))) }
    }

    /// Waits until everybody who is to see the fault has seen it.
    fn see(&mut self, before: u64) {
        let (since, limit) = (Instant::now(), Duration::from_secs(self.with.drill.seen));
        let mut left: Vec<Sight> = self.with.drill.sees.clone();
        let mut trouble = String::new();
        while !left.is_empty() && since.elapsed() < limit && !self.is_stopped() {
            let rest = limit.saturating_sub(since.elapsed());
            match self.look_for(&left, (before, rest)) {
                Ok(seen) => {
                    for (sight, told) in seen {
                        self.done("seen", told, since);
                        left.retain(|one| *one != sight);
                    }
                    trouble.clear();
                }
                Err(why) => trouble = why,
            }
            if !left.is_empty() {
                sleep(PAUSE);
            }
        }
        if self.is_stopped() {
            return self.faults.push("stopped before its end".to_owned());
        }
        for sight in left {
            let (who, whether) = match sight {
                Sight::Drift => ("no plan had a change".to_owned(), "whether a plan has a change".to_owned()),
                Sight::Agent => {
                    ("the agent made no run".to_owned(), "whether the agent made a run".to_owned())
                }
                Sight::Check(name) => {
                    (format!("the check {name} went on passing"), format!("whether the check {name} passes"))
                }
            };
            // Who could not be asked has not said that all is well.
            let who =
                if trouble.is_empty() { who } else { format!("{whether} could not be told: {trouble}") };
            self.faults.push(format!("not seen within {} s: {who}", limit.as_secs()));
        }
    }

    /// Those of `left` that see it now, and what they say.
    fn look_for(
        &self,
        left: &[Sight],
        (before, rest): (u64, Duration),
    ) -> Result<Vec<(Sight, String)>, String> {
        let mut seen = Vec::new();
        let named = |check: &&CheckSpec| left.contains(&Sight::Check(check.name.clone()));
        // Once, and no longer than there is time.
        let quick = |check: &CheckSpec| {
            let timeout = check.timeout.min(rest.as_secs()).max(1);
            CheckSpec { within: 0, timeout, ..check.clone() }
        };
        let checks: Vec<CheckSpec> = self.with.checks.iter().filter(named).map(quick).collect();
        if !checks.is_empty() {
            for result in self.host.look(&checks)? {
                // Not to be told is no more to have passed than to have failed: whoever is called for one is called for the other.
                if result.end != CheckEnd::Passed {
                    let told = format!("check {} {}: {}", result.name, result.end, why(&result));
                    seen.push((Sight::Check(result.name), told));
                }
            }
        }
        if left.contains(&Sight::Drift) {
            let changes = self.host.plan()?;
            if !changes.is_empty() {
                seen.push((Sight::Drift, format!("a plan would change {}", changes.join(", "))));
            }
        }
        if left.contains(&Sight::Agent) {
            let last = self.host.last_run()?;
            if last > before {
                seen.push((Sight::Agent, format!("the agent made run {last}")));
            }
        }
        Ok(seen)
    }

    /// Has the host made even again by whoever is to do it, and looks whether it is.
    fn mend(&mut self, before: u64) {
        let (since, mut is_back) = (Instant::now(), false);
        match self.repair {
            _ if self.is_stopped() || self.repair == Repair::Undo => is_back = self.take_back(),
            Repair::Apply => match self.host.apply() {
                Ok(()) => self.done("apply", String::new(), since),
                Err(why) => self.faults.push(format!("the apply did not bring the host back: {why}")),
            },
            _ => {}
        }
        if self.is_stopped() {
            return;
        }
        self.until_even(since, before);
        if !is_back && self.take_back() && self.steps.last().is_some_and(|step| !step.told.is_empty()) {
            // Something was left: what made the host even has not done all of it.
            self.until_even(Instant::now(), before);
        }
    }

    fn until_even(&mut self, since: Instant, before: u64) {
        let limit = Duration::from_secs(self.with.drill.within);
        loop {
            let found = self.even().and_then(|()| self.by_agent(before));
            let took = since.elapsed();
            let why = match found {
                Ok(()) => {
                    let told = format!("by {}", self.repair.word());
                    return self.done("even", told, since);
                }
                Err(why) => why,
            };
            if took >= limit || self.is_stopped() {
                return self.faults.push(format!("not even again within {} s: {why}", limit.as_secs()));
            }
            sleep(PAUSE);
        }
    }

    /// Where the agent is to have done it, it has to have made a run.
    fn by_agent(&self, before: u64) -> Result<(), String> {
        match self.repair {
            Repair::Agent if self.host.last_run()? <= before => Err("the agent made no run".to_owned()),
            _ => Ok(()),
        }
    }

    /// Takes the fault back; false where that could not be told.
    fn take_back(&mut self) -> bool {
        let since = Instant::now();
        let mut because = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                sleep(Duration::from_secs(1));
            }
            match self.host.take_back(&self.fault) {
                Ok(told) => {
                    // The answer to an earlier attempt may have been lost.
                    self.is_over |= told.is_none() && attempt == 0;
                    self.done("undo", told.unwrap_or_default(), since);
                    return true;
                }
                Err(why) => because = why,
            }
        }
        self.faults.push(format!("the fault was not seen to go, and goes by itself: {because}"));
        false
    }
}

fn why(result: &CheckResult) -> String {
    match &result.shortfalls[..] {
        [] => result.because.clone(),
        all => all.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    }
}

fn counted(checks: usize) -> String {
    if checks == 1 { "1 check".to_owned() } else { format!("{checks} checks") }
}

#[cfg(test)]
mod tests;
