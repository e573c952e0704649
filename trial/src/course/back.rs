//! What a test did to a host that stays is brought back, whatever became of the test and of its connection; where that cannot be, it is said
//! what to type.

use super::Going;
use crate::boxes::TestBox;
use crate::order::{Wanted, command};
use model::{RunSummary, Settled};
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
        self.runs = own(&before, &now, &command(&self.case.name));
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

/// The runs called `name` that a host did not have before and whose doing stands, the oldest first.
fn own(before: &[RunSummary], now: &[RunSummary], name: &str) -> Vec<u64> {
    let last = before.iter().map(|run| run.begin.run).max().unwrap_or(0);
    let is_own = |run: &&RunSummary| run.begin.run > last && run.begin.command == name && stands(run);
    let mut own: Vec<u64> = now.iter().filter(is_own).map(|run| run.begin.run).collect();
    own.sort_unstable();
    own
}

/// The last run of an earlier test that nobody has brought back.
pub(super) fn left(runs: &[RunSummary]) -> Option<&RunSummary> {
    let is_left = |run: &&RunSummary| run.begin.command.starts_with(&command("box.")) && stands(run);
    runs.iter().filter(is_left).max_by_key(|run| run.begin.run)
}

/// True where something of what it did is still there: nobody has brought it back, or not all of it.
fn stands(run: &RunSummary) -> bool {
    let is_reverted = matches!(run.after.settled, Some(Settled::Reverted(_)));
    !is_reverted && run.after.undone.is_none_or(|undone| !undone.whole)
}

#[cfg(test)]
mod tests {
    use super::{left, own};
    use model::{Aftermath, Begin, RunSummary, Settled, Undone};

    /// Runs by number, command, and what came after; the newest first, as a host lists them.
    fn runs() -> Vec<RunSummary> {
        let undone = |whole| Aftermath { undone: Some(Undone { by: 9, whole }), ..Aftermath::default() };
        let reverted = Settled::Reverted("it failed".to_owned());
        let reverted = Aftermath { settled: Some(reverted), ..Aftermath::default() };
        let confirmed = Aftermath { settled: Some(Settled::Confirmed), ..Aftermath::default() };
        let stands = Aftermath::default;
        [
            (9, "rollback 8", stands()),
            (8, "test box.web", undone(true)),
            (7, "test box.web", reverted),
            (6, "apply site", stands()),
            (5, "test box.web", confirmed),
            (4, "test box.webs", undone(false)),
            (3, "test box.web", stands()),
            (2, "test box.web", stands()),
            (1, "apply site", stands()),
        ]
        .map(|(run, command, after)| {
            let begin = Begin { run, command: command.to_owned(), ..Begin::default() };
            RunSummary { begin, done: 1, reboots: 0, end: None, damage: None, after }
        })
        .into()
    }

    #[test]
    fn runs_whose_number_was_never_told_are_found_by_their_name_since_then() {
        let all = runs();
        for (known, found) in [(0, &[2, 3, 5][..]), (1, &[2, 3, 5]), (2, &[3, 5]), (5, &[]), (9, &[])] {
            let before = &all[all.len() - known..];
            assert_eq!(own(before, &all, "test box.web"), found, "{known} runs were there before");
        }
        assert_eq!(own(&[], &all, "test box.w"), [0; 0], "another test");
    }

    #[test]
    fn the_next_test_tells_the_last_run_that_stands_of_an_earlier_one() {
        let all = runs();
        let told = |runs: &[RunSummary]| left(runs).map(|run| run.begin.run);
        assert_eq!(told(&all), Some(5));
        assert_eq!(told(&all[5..]), Some(4), "whichever test it was, and though half of it came back");
        let oldest_first: Vec<RunSummary> = all.iter().rev().cloned().collect();
        assert_eq!(told(&oldest_first), Some(5));
        assert_eq!(told(&all[..4]), None, "those have come back, or are no tests");
    }
}
