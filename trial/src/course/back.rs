//! What a test did to a host that stays is brought back, whatever became of the test and of its connection; where that cannot be, it is said
//! what to type.

use super::Going;
use crate::boxes::TestBox;
use crate::order::{Wanted, command};
use model::RunSummary;
use std::thread::sleep;
use std::time::Duration;

/// How often a host is tried that does not answer.
const ATTEMPTS: u32 = 12;
/// The pause between two tries.
const PAUSE: Duration = Duration::from_secs(5);

impl Going<'_> {
    /// Brings it back. `before` is what the host had done before the test, where it could be asked.
    pub(super) fn bring_back(&mut self, made: &mut dyn TestBox, before: Option<Vec<RunSummary>>) {
        let mut is_found = true;
        if self.is_unsure {
            is_found = self.find_runs(made, before);
        }
        if !self.runs.is_empty() {
            self.roll_back(made);
        }
        if !self.runs.is_empty() && self.listed(made).is_some() {
            self.roll_back(made);
        }
        if let Some(run) = self.runs.last() {
            let typed = made.by_hand(Some(*run));
            self.fault(format!("what the test did is still there: `{typed}` brings it back"));
        } else if !is_found {
            let (typed, name) = (made.by_hand(None), command(&self.case.name));
            self.fault(format!("the host may not be as it was: `{typed}` tells the runs called `{name}`"));
        }
    }

    /// A connection that was lost may have taken the number of the run with it: the host knows. False where it does not say.
    fn find_runs(&mut self, made: &dyn TestBox, before: Option<Vec<RunSummary>>) -> bool {
        let (Some(before), Some(now)) = (before, self.listed(made)) else { return false };
        let name = command(&self.case.name);
        let last = before.iter().map(|run| run.begin.run).max().unwrap_or(0);
        let mut own: Vec<u64> = now
            .iter()
            .filter(|run| is_there(run))
            .map(|run| &run.begin)
            .filter_map(|begin| (begin.run > last && begin.command == name).then_some(begin.run))
            .collect();
        own.sort_unstable();
        self.runs = own;
        true
    }

    /// All runs of the host; `None` where it does not answer for a minute.
    fn listed(&self, made: &dyn TestBox) -> Option<Vec<RunSummary>> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                sleep(PAUSE);
            }
            if let Some(runs) = self.ask(made, Wanted::Runs).runs() {
                return Some(runs.to_vec());
            }
        }
        None
    }
}

/// The last run of an earlier test that nobody has brought back.
pub(super) fn left(runs: &[RunSummary]) -> Option<&RunSummary> {
    let is_left = |run: &&RunSummary| run.begin.command.starts_with(&command("box.")) && is_there(run);
    runs.iter().find(is_left)
}

/// True where something of what it did is still there: nobody has brought it back, or not all of it.
fn is_there(run: &RunSummary) -> bool {
    run.after.undone.is_none_or(|undone| !undone.whole)
}

#[cfg(test)]
mod tests {
    use super::{is_there, left};
    use model::{Aftermath, Begin, RunSummary, Undone};

    fn run(number: u64, command: &str, undone: Option<bool>) -> RunSummary {
        let begin = Begin { run: number, command: command.to_owned(), ..Begin::default() };
        let undone = undone.map(|whole| Undone { by: number + 1, whole });
        RunSummary {
            begin,
            done: 1,
            reboots: 0,
            end: None,
            damage: None,
            after: Aftermath { undone, ..Aftermath::default() },
        }
    }

    #[test]
    fn what_was_brought_back_by_halves_is_left() {
        for (undone, is_left) in [(None, true), (Some(false), true), (Some(true), false)] {
            let runs = [run(3, "apply", None), run(2, "test box.a", undone)];
            assert_eq!((is_there(&runs[1]), left(&runs).is_some()), (is_left, is_left), "{undone:?}");
        }
    }
}
