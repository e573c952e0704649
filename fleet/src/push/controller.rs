//! What a push asks of the side that started it, and what it tells it. Calls come from as many threads as there are hosts at
//! work, each about its own host: what one host says can only ever be told of that host.

use crate::trouble::{Stage, Trouble};
use model::{Event, Facts, Secrets};
use wire::{Blobs, Ending, Order, Reply};

/// The one who wants something of hosts. `host` is always the name of the [`crate::Target`], never what a host calls itself.
pub trait Controller: Sync {
    /// What the host is asked to do, given what it says it is. The facts were checked for length and control characters; they are
    /// the host's words all the same.
    ///
    /// # Errors
    /// There is nothing to ask of it, such as where its catalog does not compile: why not, in words. It ends as [`End::Refused`].
    fn order(&self, host: &str, facts: &Facts) -> Result<Prepared, String>;

    /// How far the work has come.
    fn stage(&self, host: &str, stage: Stage);

    /// An event of the host's run.
    fn event(&self, host: &str, event: &Event);

    /// What was asked for, where that is no event.
    fn reply(&self, host: &str, reply: Reply);

    /// The host has told its plan and asks whether to do it. Asked again, several times a second, until it is `Some`: a yes is
    /// the commit point.
    fn answer(&self, host: &str) -> Option<bool>;

    /// Something the operator should know, such as that the agent is being brought.
    fn note(&self, host: &str, text: &str);

    /// The last word about the host; nothing follows for it.
    fn ended(&self, host: &str, end: &End);
}

/// A piece of work, and what belongs to it.
pub struct Prepared {
    /// The work.
    pub order: Order,
    /// The secrets that its catalog names.
    pub secrets: Secrets,
    /// Where the contents come from that its catalog names.
    pub blobs: Box<dyn Blobs>,
}

/// How it ended for one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The agent has said how.
    Ended(Ending),
    /// A dead end between here and there.
    Trouble(Trouble),
    /// [`Controller::order`] gave no order, in its words.
    Refused(String),
}
