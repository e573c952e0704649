//! One connection to a host and one order over it: connect, become root, bring the agent, talk. Knows neither what was before nor what comes after.

use crate::bootstrap::{Brought, Means, bring};
use crate::endpoint::Endpoint;
use crate::push::controller::End;
use crate::push::progress::Progress;
use crate::push::target::Push;
use crate::remote::Remote;
use crate::talk::{Task, converse};
use crate::trouble::{Stage, Trouble};

/// How a host is reached, by one call.
pub(crate) struct Way<'a> {
    /// Agents, deadlines, and who wants it.
    pub push: &'a Push<'a>,
    /// The name of its target.
    pub name: &'a str,
    /// Where it is.
    pub endpoint: &'a Endpoint,
    /// Called when the host is known to be connected to; returns when it may go on.
    pub arrive: &'a dyn Fn(),
    /// Called with what the first connection met, where that came to nothing.
    pub met: &'a dyn Fn(&Trouble),
}

/// A connection, and the agent that runs over it.
type Reached = (Box<dyn Remote>, Brought);

impl Way<'_> {
    /// Does `task` over a new connection.
    pub(crate) fn talk(&self, endpoint: &Endpoint, progress: &Progress<'_>, task: Task) -> End {
        match self.reach(endpoint, progress) {
            Ok(reached) => self.talk_over(reached, progress, task),
            Err(trouble) => End::Trouble(trouble),
        }
    }

    /// Does `task` over a connection that is there.
    pub(crate) fn talk_over(
        &self,
        (mut remote, brought): Reached,
        progress: &Progress<'_>,
        task: Task,
    ) -> End {
        let may_stay = brought.stays.is_some();
        let end = converse(brought, (self.push, self.endpoint), progress, task);
        if may_stay && matches!(&end, End::Ended(ending) if ending.is_quiet()) {
            remote.stay();
        }
        // The connection lasts as long as the conversation.
        drop(remote);
        end
    }

    /// Connects, and starts the agent.
    ///
    /// # Errors
    /// Every dead end on the way.
    pub(crate) fn reach(&self, endpoint: &Endpoint, progress: &Progress<'_>) -> Result<Reached, Trouble> {
        if progress.stage() != Stage::Connect {
            progress.enter(Stage::Connect);
        }
        let mut remote = (self.push.connect)(endpoint)?;
        if !remote.connects_late() {
            (self.arrive)();
        }
        let means = Means { push: self.push, user: &endpoint.user, arrive: self.arrive };
        let brought = bring(&mut *remote, &means, progress)?;
        Ok((remote, brought))
    }
}
