//! Failure drills: a fault that is put on a host for a while, who is to see it, and who makes the host even again. Plain data; what
//! faults do is in `agent::drills`.

use crate::Origin;
use serde::{Deserialize, Serialize};

/// One drill of one host, compiled: nothing in it is a template any more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DrillSpec {
    /// Its name; of a module `INSTANCE/NAME`.
    pub name: String,
    /// The sort of its fault, such as `port`.
    pub sort: String,
    /// The fault's own keys.
    pub params: serde_json::Value,
    /// What it is for, in the user's words.
    pub doc: String,
    /// Who is to see the fault; nobody need where it is empty.
    pub sees: Vec<Sight>,
    /// Within so many seconds.
    pub seen: u64,
    /// Who makes the host even again; as usual for the sort where it is `None`.
    pub repair: Option<Repair>,
    /// Within so many seconds.
    pub within: u64,
    /// Where it is written.
    pub origin: Origin,
}

/// Who sees a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// A plan has a change.
    Drift,
    /// The agent of the host makes a run.
    Agent,
    /// This check fails.
    Check(String),
}

/// Who makes a host even again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// The host itself: a service manager that starts again what has died.
    Itself,
    /// The agent of the host.
    Agent,
    /// The next apply.
    Apply,
    /// The end of the fault: what it did is taken back.
    Undo,
}

impl Repair {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Itself, Self::Agent, Self::Apply, Self::Undo];

    /// Its word in TOML.
    pub fn word(self) -> &'static str {
        match self {
            Self::Itself => "itself",
            Self::Agent => "agent",
            Self::Apply => "apply",
            Self::Undo => "undo",
        }
    }
}

/// A fault as a host is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The drill's name.
    pub name: String,
    /// The sort, such as `port`.
    pub sort: String,
    /// The sort's own keys.
    pub params: serde_json::Value,
    /// After so many seconds the host takes it back, whatever became of whoever asked for it.
    pub seconds: u64,
    /// Who wants it, for those who meet it.
    pub by: String,
    /// Whether there has to be an agent that keeps the host even.
    pub keeper: Keeper,
}

/// Whether a fault needs the agent of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeper {
    /// It is put without asking for one.
    #[default]
    Any,
    /// It is not put where none is at work.
    Needed,
}

/// What became of a fault. Texts are of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drilled {
    /// It is there: what was done, in words.
    Begun(String),
    /// This host cannot have it, for this reason. Nothing was changed.
    Impossible(String),
    /// It was taken back now: what was done for that, in words.
    Undone(String),
    /// There is none.
    Nothing,
}
