//! What came of tests: for people, as JSON lines, or as one JUnit document.

use super::color::{paint, wanted};
use super::out::{inset, line};
use super::words::counted;
use crate::format::Format;
use clap::ValueEnum;
use serde_json::json;
use std::time::Duration;
use trial::{Outcome, Skipped, Step};

/// How results of tests are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// For people.
    Human,
    /// JSON lines, one test a line; the last one is the report.
    Json,
    /// JUnit XML, for CI systems.
    Junit,
}

impl Shape {
    /// How what is wrong with the input is printed then.
    pub fn of_diagnostics(self) -> Format {
        if self == Self::Json { Format::Json } else { Format::Human }
    }
}

/// Shows outcomes as they come.
pub struct Told {
    shape: Shape,
}

impl Told {
    /// Nothing has been shown.
    pub fn new(shape: Shape) -> Self {
        Self { shape }
    }

    /// One test has ended.
    pub fn outcome(&self, outcome: &Outcome) {
        match self.shape {
            Shape::Human => human(outcome),
            Shape::Json => line(&as_json(outcome).to_string()),
            Shape::Junit => {}
        }
    }

    /// All have.
    pub fn finish(&self, outcomes: &[Outcome]) {
        let failed = outcomes.iter().filter(|one| !one.passed()).count();
        let skipped: usize = outcomes.iter().map(|one| one.skipped.len()).sum();
        match self.shape {
            Shape::Human => {
                let tests = counted(outcomes.len(), "test");
                let sum =
                    if failed == 0 { format!("{tests} passed") } else { format!("{tests}, {failed} failed") };
                line(&match skipped {
                    0 => sum,
                    some => format!("{sum}, {} skipped", counted(some, "drill")),
                });
            }
            Shape::Json => {
                let passed = outcomes.len() - failed;
                line(
                    &json!({ "event": "report", "passed": passed, "failed": failed, "skipped": skipped })
                        .to_string(),
                );
            }
            Shape::Junit => line(trial::junit(outcomes).trim_end()),
        }
    }
}

/// A box that was kept is gone.
pub fn destroyed(name: &str) {
    line(&format!("{} is gone", inset(name)));
}

fn human(outcome: &Outcome) {
    let Outcome { name, origin, took, steps, faults, skipped: _ } = outcome;
    let color = wanted(&std::io::stdout());
    let took = time(*took);
    let text = format!("{name} ({}:{}, {took})", origin.file, origin.line);
    if faults.is_empty() {
        line(&format!("{} {}", paint("ok  ", '+', color), inset(&text)));
    } else {
        line(&format!("{} {}", paint("FAIL", '-', color), inset(&text)));
    }
    for Step { name, told, took } in steps {
        line(&format!("       {name:<9} {:>7}  {}", time(*took), inset(told)));
    }
    for fault in faults {
        line(&format!("     {}: {}", inset(&fault.origin.to_string()), inset(&fault.message)));
    }
}

fn time(took: Duration) -> String {
    match took.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}

fn as_json(outcome: &Outcome) -> serde_json::Value {
    let Outcome { name, origin, took, steps, faults, skipped } = outcome;
    let millis = |took: &Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let step = |step: &Step| json!({ "step": step.name, "told": step.told, "ms": millis(&step.took) });
    let fault = |fault: &trial::Fault| json!({ "origin": fault.origin, "message": fault.message });
    let left = |one: &Skipped| json!({ "part": one.name, "origin": one.origin, "because": one.because });
    json!({
        "event": "test",
        "test": name,
        "origin": origin,
        "ms": millis(took),
        "passed": outcome.passed(),
        "steps": steps.iter().map(step).collect::<Vec<_>>(),
        "faults": faults.iter().map(fault).collect::<Vec<_>>(),
        "skipped": skipped.iter().map(left).collect::<Vec<_>>(),
    })
}
