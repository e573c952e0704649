//! The way of one host: connection, agent, conversation, in a thread of its own.

use crate::bootstrap::{Means, bring};
use crate::push::arrival::Arrival;
use crate::push::controller::End;
use crate::push::progress::Progress;
use crate::push::target::{Push, Target};
use crate::talk::converse;
use crate::trouble::{Stage, Trouble};

/// Takes a host from its name to its end, and tells the controller of it.
pub fn serve(push: &Push<'_>, target: &Target, arrival: Arrival<'_>) -> End {
    let progress = Progress::new(&target.name, push.controller, push.stop);
    let end = way(push, target, &arrival, &progress).unwrap_or_else(End::Trouble);
    push.controller.ended(&target.name, &end);
    end
}

fn way(
    push: &Push<'_>,
    target: &Target,
    arrival: &Arrival<'_>,
    progress: &Progress<'_>,
) -> Result<End, Trouble> {
    let endpoint = target.endpoint.as_ref().map_err(Clone::clone)?;
    progress.enter(Stage::Connect);
    arrival.set_out(endpoint)?;
    if progress.is_stopped() {
        return Err(Trouble::NotTried);
    }
    let brought = (push.connect)(endpoint).and_then(|mut remote| {
        if !remote.connects_late() {
            arrival.arrive();
        }
        let means = Means { push, user: &endpoint.user, arrive: &|| arrival.arrive() };
        bring(&mut *remote, &means, progress).map(|brought| (remote, brought))
    });
    // The connection lasts as long as the conversation.
    let (_remote, brought) = brought.inspect_err(|trouble| arrival.met(trouble))?;
    Ok(converse(brought, &push.patience, progress))
}
