//! What becomes of one host, in a thread of its own: the work that is wanted, and after the commit point whatever it takes to see its end.

use crate::push::arrival::Arrival;
use crate::push::controller::End;
use crate::push::first;
use crate::push::progress::Progress;
use crate::push::target::{Push, Resume, Target};
use crate::push::way::Way;
use crate::talk::Task;
use crate::trouble::{Stage, Trouble};
use crate::watch::{confirm, follow, take_up};

/// Takes a host from its name to its end, and tells the controller of it.
pub fn serve(push: &Push<'_>, target: &Target, arrival: &Arrival<'_>) -> End {
    let end = work(push, target, arrival).unwrap_or_else(End::Trouble);
    push.controller.ended(&target.name, &end);
    end
}

fn work(push: &Push<'_>, target: &Target, arrival: &Arrival<'_>) -> Result<End, Trouble> {
    let endpoint = target.endpoint.as_ref().map_err(Clone::clone)?;
    let progress = Progress::new(&target.name, push);
    progress.enter(Stage::Connect);
    arrival.set_out(endpoint)?;
    progress.go_on().map_err(|_| Trouble::NotTried)?;
    let (arrive, met) = (|| arrival.arrive(), |trouble: &Trouble| arrival.met(trouble));
    let way = Way { push, name: &target.name, endpoint, arrive: &arrive, met: &met };
    if push.resume == Resume::First {
        take_up(&way)?;
    }
    let reached = first::reach(&way, &progress)?;
    let end = way.talk_over(reached, &progress, Task::Wanted);
    let end = match end {
        End::Trouble(trouble) if is_lost(&trouble) => follow(&way, &progress, trouble),
        end => end,
    };
    let end = confirm(&way, &progress, end);
    if !is_open(&end, &progress) {
        progress.forget();
    }
    Ok(end)
}

/// True where the run may go on without us.
pub(crate) fn is_lost(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Adrift { .. } | Trouble::Crashed { stage: Stage::Run, .. })
}

/// True where the end of a run is not known, or the host will undo what that left.
fn is_open(end: &End, progress: &Progress<'_>) -> bool {
    matches!(end, End::Trouble(_)) || progress.was_stopped() && progress.seen().window.is_some()
}
