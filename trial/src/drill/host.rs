//! A host as a drill needs it. Each call may take a connection of its own: a drill goes on where one is lost.

use model::{CheckResult, CheckSpec, Fault, Plan, Verdict};

/// How an attempt to put a fault ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is there: what was done, in words.
    There(String),
    /// The host cannot have it: why.
    Impossible(String),
    /// Somebody has the host, or has locked it: who.
    Locked(String),
}

/// A host.
pub trait Drilled {
    /// Who has locked it, and why; `None` where nobody has.
    ///
    /// Errors where that could not be told.
    fn locked(&self) -> Result<Option<String>, String>;

    /// Looks whether these are so: a result each, in their order.
    ///
    /// Errors where it could not be asked.
    fn look(&self, checks: &[CheckSpec]) -> Result<Vec<CheckResult>, String>;

    /// What a plan would change, each by its name; nothing where the host is as desired, and known to be.
    ///
    /// Errors where that could not be told.
    fn plan(&self) -> Result<Vec<String>, String>;

    /// Brings it to what it is to be.
    ///
    /// Errors where it is not so afterwards.
    fn apply(&self) -> Result<(), String>;

    /// Puts a fault.
    ///
    /// Errors where it failed, or where it cannot be told whether it is there.
    fn put(&self, fault: &Fault) -> Result<Put, String>;

    /// Takes back this fault, and says what was done, an empty text where nothing was left of it; `None` where the host has taken it back before.
    ///
    /// Errors where it could not be, or not be told.
    fn take_back(&self, fault: &Fault) -> Result<Option<String>, String>;

    /// The number of its last run; 0 where there was none.
    ///
    /// Errors where that could not be told.
    fn last_run(&self) -> Result<u64, String>;
}

/// What a plan would change, each by its name; nothing where it has nothing to do.
pub fn changes(plan: &Plan) -> Vec<String> {
    let is_due = |verdict: &Verdict| !matches!(verdict, Verdict::Unchanged | Verdict::LeftOut);
    let due = plan.nodes.iter().filter(|node| is_due(&node.verdict));
    let mut names: Vec<String> = due.map(|node| node.id.to_string()).collect();
    if names.is_empty() && !plan.is_empty() {
        names.push("what an earlier run has left".to_owned());
    }
    names
}
