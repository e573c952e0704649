//! A box as a drill needs it: the same orders that a push gives, over the box's own way in.

use super::host::{Drilled, Put};
use crate::order::{Asked, Wanted};
use fleet::End;
use model::{CheckResult, CheckSpec, Drilled as Became, Fault};
use wire::Ending;

/// A box; `ask` gives it an order.
pub struct InBox<'a> {
    ask: &'a dyn Fn(Wanted) -> Asked,
}

impl<'a> InBox<'a> {
    /// The box that `ask` asks.
    pub(crate) fn new(ask: &'a dyn Fn(Wanted) -> Asked) -> Self {
        Self { ask }
    }
}

impl Drilled for InBox<'_> {
    fn locked(&self) -> Result<Option<String>, String> {
        // Nobody else knows of it.
        Ok(None)
    }

    fn look(&self, checks: &[CheckSpec]) -> Result<Vec<CheckResult>, String> {
        if checks.is_empty() {
            return Ok(Vec::new());
        }
        let asked = (self.ask)(Wanted::Checked(checks.to_vec()));
        if asked.results().len() == checks.len() { Ok(asked.results().to_vec()) } else { Err(asked.why()) }
    }

    fn plan(&self) -> Result<Vec<String>, String> {
        let asked = (self.ask)(Wanted::Planned);
        match asked.end() {
            End::Ended(Ending::Unchanged | Ending::Pending) => Ok(asked.changes().to_vec()),
            _ => Err(asked.why()),
        }
    }

    fn apply(&self) -> Result<(), String> {
        let asked = (self.ask)(Wanted::Converged);
        match asked.end() {
            End::Ended(Ending::Unchanged | Ending::Changed) => Ok(()),
            _ => Err(asked.why()),
        }
    }

    fn put(&self, fault: &Fault) -> Result<Put, String> {
        let asked = (self.ask)(Wanted::Faulty(fault.clone()));
        match (asked.end(), asked.drilled()) {
            (End::Ended(Ending::Unchanged), Some(Became::Begun(told))) => Ok(Put::There(told.clone())),
            (End::Ended(Ending::Unchanged), Some(Became::Impossible(why))) => {
                Ok(Put::Impossible(why.clone()))
            }
            (End::Ended(Ending::Locked), _) => Ok(Put::Locked(asked.why())),
            _ => Err(asked.why()),
        }
    }

    fn take_back(&self, fault: &Fault) -> Result<Option<String>, String> {
        let asked = (self.ask)(Wanted::Mended(fault.clone()));
        match (asked.end(), asked.drilled()) {
            (End::Ended(Ending::Unchanged), Some(Became::Undone(told))) => Ok(Some(told.clone())),
            (End::Ended(Ending::Unchanged), Some(Became::Nothing)) => Ok(None),
            _ => Err(asked.why()),
        }
    }

    fn last_run(&self) -> Result<u64, String> {
        let asked = (self.ask)(Wanted::Runs);
        asked.last_run().ok_or_else(|| asked.why())
    }
}
