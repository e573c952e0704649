//! The way of one host: connection, agent, conversation, in a thread of its own.

use crate::bootstrap::{Means, bring};
use crate::endpoint::Endpoint;
use crate::push::controller::End;
use crate::push::crossings::Crossings;
use crate::push::progress::Progress;
use crate::push::target::{Push, Target};
use crate::push::turns::Turn;
use crate::talk::converse;
use crate::trouble::{Stage, Trouble};

/// What lets a host begin.
pub struct Start<'a> {
    /// Its turn.
    pub turn: Turn<'a>,
    /// The hosts on the way.
    pub crossings: &'a Crossings,
}

/// Takes a host from its name to its end, and tells the controller of it.
pub fn serve(push: &Push<'_>, target: &Target, start: Start<'_>) -> End {
    let progress = Progress::new(&target.name, push.controller, push.stop);
    let end = way(push, target, start, &progress).unwrap_or_else(End::Trouble);
    push.controller.ended(&target.name, &end);
    end
}

fn way(
    push: &Push<'_>,
    target: &Target,
    mut start: Start<'_>,
    progress: &Progress<'_>,
) -> Result<End, Trouble> {
    let endpoint = target.endpoint.as_ref().map_err(Clone::clone)?;
    progress.enter(Stage::Connect);
    let connect = |endpoint: &Endpoint| match progress.is_stopped() {
        true => Err(Trouble::NotTried),
        false => (push.connect)(endpoint),
    };
    let mut remote = start.crossings.connect(endpoint, connect)?;
    start.turn.work();
    let means = Means { push, user: &endpoint.user };
    let brought = bring(&mut *remote, &means, progress)?;
    Ok(converse(brought, &push.patience, progress))
}
