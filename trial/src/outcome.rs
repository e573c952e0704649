//! What came of one test. Plain data; `cli` shows it.

use model::Origin;
use std::time::Duration;

/// What came of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its name, such as `unit.defaults`.
    pub name: String,
    /// Where it is declared.
    pub origin: Origin,
    /// How long it took.
    pub took: Duration,
    /// Its parts, in order; none of a test without a host.
    pub steps: Vec<Step>,
    /// What was not as expected; nothing where it passed.
    pub faults: Vec<Fault>,
    /// What could not be tested here. It has neither passed nor failed.
    pub skipped: Vec<Skipped>,
}

/// A part of a test that the box cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its name, such as `drill.cron-stops`.
    pub name: String,
    /// Where it is declared.
    pub origin: Origin,
    /// What is lacking.
    pub because: String,
}

/// One thing that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where the expectation is.
    pub origin: Origin,
    /// What there was instead, in a sentence without a final stop.
    pub message: String,
}

/// One part of a test in a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was done, such as `converge`.
    pub name: &'static str,
    /// What came of it, in a few words; may be empty.
    pub told: String,
    /// How long it took.
    pub took: Duration,
}

impl Outcome {
    /// True where everything was as expected.
    pub fn passed(&self) -> bool {
        self.faults.is_empty()
    }
}
