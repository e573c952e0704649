//! Orders to put a fault on the host, and to take it back. Nothing here waits for its end: that is a process of its own.

use super::means::Means;
use crate::detached::{post_drill, relieve_drill};
use crate::drills::{self, Begun, Here, Whose};
use crate::engine::Sink;
use crate::state::EventLog;
use model::{Drilled, EventBody, Failure, Fault, Keeper};
use wire::{Ending, Reply};

/// The longest that a fault may be asked for, in seconds.
const LONGEST: u64 = 24 * 3600;

/// Puts a fault.
pub(super) fn begin(fault: &Fault, means: &Means<'_>) -> Result<Ending, Failure> {
    let (now, here) = ((means.clock)(), Here { state: means.state });
    let is_line = |text: &String| !text.is_empty() && text.len() <= 200 && !text.contains(char::is_control);
    if !is_line(&fault.name) || !is_line(&fault.by) || !(1..=LONGEST).contains(&fault.seconds) {
        return Err(Failure::refused("this is no fault for a while", "compile it again"));
    }
    if fault.keeper == Keeper::Needed
        && let Some(why) = drills::idle(means.state, &here, &now)?
    {
        means.controller.reply(Reply::Drill(Drilled::Impossible(why)))?;
        return Ok(Ending::Unchanged);
    }
    let begun = drills::begin(fault, (means.state, &here), &|| post_drill(means.state), &now);
    let drilled = match begun {
        Ok(Begun::Put(told)) => Drilled::Begun(told),
        Ok(Begun::Impossible(why)) => Drilled::Impossible(why),
        Ok(Begun::Locked(why)) => {
            EventLog::new(means.watch, means.clock).emit(EventBody::Error { text: why });
            return Ok(Ending::Locked);
        }
        Err(failure) => {
            relieve_drill(means.state)?;
            return Err(failure);
        }
    };
    means.controller.reply(Reply::Drill(drilled))?;
    Ok(Ending::Unchanged)
}

/// Takes back the fault of this drill, where it is there.
pub(super) fn end((name, by): (&str, &str), means: &Means<'_>) -> Result<Ending, Failure> {
    let (here, whose) = (Here { state: means.state }, Whose::Of { name, by });
    let told = drills::end((means.state, &here), whose, "it was asked for", &(means.clock)())?;
    relieve_drill(means.state)?;
    means.controller.reply(Reply::Drill(told.map_or(Drilled::Nothing, Drilled::Undone)))?;
    Ok(Ending::Unchanged)
}
