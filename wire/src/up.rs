//! From the host to the controller. Whatever it says is data: never a path, a template or a command of the controller's.

use crate::Message;
use crate::frame::LONGEST_UP;
use model::{Digest, Event, Facts, Failure};
use serde::{Deserialize, Serialize};

/// A message of the host. The first is `Hello`, the last `Done`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Up {
    /// Who speaks, and what the host is.
    Hello(Box<Hello>),
    /// Something happened.
    Event(Box<Event>),
    /// These contents are needed, and not here.
    Want(Vec<Digest>),
    /// The plan has been told: shall it be done?
    Question,
    /// What was asked for, where that is no event.
    Reply(Box<Reply>),
    /// Nothing new; the host is still at work.
    Alive,
    /// The end.
    Done(Ending),
}

/// Most bytes that the messages of one host may come to, unpacked. A run of a hundred thousand resources, each told twice, is below.
pub const TOTAL_UP: u64 = 128 << 20;

/// Most values of JSON that one message of a host holds. At 16 bytes for each, as they have on the average, that is as much as a frame takes.
pub const VALUES_UP: usize = 1 << 20;

impl Message for Up {
    const LONGEST: u32 = LONGEST_UP;
    const TOTAL: u64 = TOTAL_UP;
    const VALUES: usize = VALUES_UP;
}

/// The first words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// The version of the protocol that the agent speaks best.
    pub protocol: u32,
    /// The agent's own version.
    pub agent: String,
    /// What the host says of itself.
    pub facts: Facts,
}

/// An answer that is no event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The runs, the last one first.
    History(Vec<model::RunSummary>),
    /// What somebody else changed.
    Drift(model::Drift),
    /// The locks that have not expired.
    Locks(Vec<model::SoftLock>),
    /// How the agent is that keeps the host.
    Keeping(Box<Keeping>),
    /// The settings of that agent; `None` where it has none.
    Settings(Option<String>),
    /// What became of the checks, in their order.
    Checks(Vec<model::CheckResult>),
    /// What became of a fault.
    Drill(model::Drilled),
    /// One run.
    Run {
        /// What its journal amounts to.
        status: Box<model::Status>,
        /// What is wrong with the rest of the journal, as a sentence for the operator.
        damage: Option<String>,
        /// What became of it.
        #[serde(default, skip_serializing_if = "model::Aftermath::is_nothing")]
        after: model::Aftermath,
    },
}

/// What the agent that keeps a host has written down there, as it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Keeping {
    /// Its process, and since when it runs, RFC 3339; `None` where it does not run.
    pub running: Option<(u32, String)>,
    /// How it is; `None` where it has never been.
    pub status: Option<serde_json::Value>,
    /// Who has paused it, which may be over; `None` where nobody has.
    pub pause: Option<serde_json::Value>,
}

/// How the work on a host ended. Where there were events the last one is a report, which counts; this is its one word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All is as desired, and nothing was changed; or what was asked for has been replied.
    Unchanged,
    /// All is as desired now.
    Changed,
    /// Changes are pending, and were only shown.
    Pending,
    /// The answer was no.
    Declined,
    /// Another run has the host, or somebody has locked it, or what would have changed.
    Locked,
    /// What was done was unwound: nobody confirmed it, or something failed and that was asked for.
    Reverted,
    /// Something failed or could not be told, also of a check; the events, or the reply, say what.
    Failed,
    /// It could not be begun; neither event nor reply says so.
    Refused(Failure),
}

impl Ending {
    /// True where the host is as it was, and nothing went wrong: an agent may stay for the next order.
    pub fn is_quiet(&self) -> bool {
        matches!(self, Self::Unchanged | Self::Pending)
    }
}
