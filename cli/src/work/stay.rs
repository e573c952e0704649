//! A run on this machine that is undone unless somebody confirms it: whoever sits at the terminal is asked. Without a yes it is waited for that
//! the machine undoes it.

use super::desk::{Desk, Waits};
use crate::view::{self, ask};
use std::thread::sleep;
use std::time::{Duration, Instant};
use wire::{Ending, Order};

/// How much longer than its window a run may take to be undone.
const MARGIN: Duration = Duration::from_secs(120);

/// How the run ended after all that ended with `ending`; `perform` carries out an order on this machine.
pub fn confirm(
    (desk, name): (&Desk<'_>, &str),
    ending: Ending,
    perform: &dyn Fn(Order) -> anyhow::Result<Ending>,
) -> anyhow::Result<Ending> {
    let Some(Waits { run, window, .. }) = desk.waits(name) else { return Ok(ending) };
    if !matches!(ending, Ending::Changed | Ending::Unchanged | Ending::Failed) {
        return Ok(ending);
    }
    let since = Instant::now();
    if ask::still_in_order(Duration::from_secs(window)) {
        return Ok(match perform(Order::Confirm { run })? {
            Ending::Unchanged | Ending::Changed => ending,
            other => other,
        });
    }
    view::remark(&format!("run {run} is not confirmed, and is undone"));
    while since.elapsed() < Duration::from_secs(window) + MARGIN {
        let next = desk.waits(name).map_or(0, |waits| waits.next);
        match perform(Order::Attach { run: Some(run), from: next })? {
            Ending::Reverted => return Ok(Ending::Reverted),
            Ending::Refused(failure) => return Ok(Ending::Refused(failure)),
            // It was confirmed elsewhere.
            ending if desk.waits(name).is_none() => return Ok(ending),
            _ => sleep(Duration::from_millis(500)),
        }
    }
    view::remark(&format!(
        "run {run} has not been undone in time: `keel attach {run} --local` tells what becomes of it"
    ));
    Ok(Ending::Failed)
}
