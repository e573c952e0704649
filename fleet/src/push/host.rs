//! The way of one host: connection, agent, conversation, in a thread of its own.

use crate::bootstrap::{Means, bring};
use crate::push::controller::End;
use crate::push::progress::Progress;
use crate::push::target::{Push, Target};
use crate::push::turns::Turn;
use crate::talk::converse;
use crate::trouble::{Stage, Trouble};

/// Takes a host from its name to its end, and tells the controller of it.
pub fn serve(push: &Push<'_>, target: &Target, turn: Turn<'_>) -> End {
    let progress = Progress::new(&target.name, push.controller, push.stop);
    let end = way(push, target, turn, &progress).unwrap_or_else(End::Trouble);
    push.controller.ended(&target.name, &end);
    end
}

fn way(
    push: &Push<'_>,
    target: &Target,
    mut turn: Turn<'_>,
    progress: &Progress<'_>,
) -> Result<End, Trouble> {
    if progress.is_stopped() {
        return Err(Trouble::NotTried);
    }
    let endpoint = target.endpoint.as_ref().map_err(Clone::clone)?;
    progress.enter(Stage::Connect);
    let mut remote = (push.connect)(endpoint)?;
    turn.work();
    let means = Means { push, user: &endpoint.user };
    let brought = bring(&mut *remote, &means, progress)?;
    Ok(converse(brought, &push.patience, progress))
}
