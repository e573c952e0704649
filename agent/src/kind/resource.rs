//! `trait Kind`: the desired state decides. It has no `apply` and no `undo`: it returns steps, the engine acts.

use crate::system::System;
use model::{Answer, Check, Claim, Failure, Problem, Scope, Step, Thing};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// What may run at the same time: nodes of different classes, and of one class as many as `most` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// File system: many at once.
    Files,
    /// Package manager: one transaction for all that are ready.
    Packages,
    /// Service manager: serial.
    Units,
    /// Account files, which have one lock: serial.
    Accounts,
    /// Commands: serial.
    Commands,
    /// Commands that are said to be independent of all others: many at once.
    Independent,
    /// What ends everything else: begins when nothing else can be done before it, and nothing begins meanwhile.
    Alone,
}

impl Class {
    /// How many tasks may be at work at once. Those on files wait for the disk, and the more of them wait the more it does at a time.
    pub const fn most(self) -> usize {
        match self {
            Self::Files => 32,
            Self::Independent => 16,
            Self::Packages | Self::Units | Self::Accounts | Self::Commands | Self::Alone => 1,
        }
    }
}

/// A kind of resource. The struct is the desired state: its fields are the keys in TOML, their doc comments the
/// reference. The resource's name comes in as the field `name` (by `serde(rename)` a path), hidden from the schema by
/// `schemars(skip)`.
pub trait Kind: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The word in TOML.
    const NAME: &'static str;
    /// What may run at the same time.
    const CLASS: Class;
    /// Whether its names are the host's or the module's.
    const SCOPE: Scope = Scope::Host;
    /// Whether what it changes can be the configuration of a service: it is staged, and checked together with the rest of it.
    const CONFIG: bool = false;
    /// Resources in TOML that compile by themselves; read by people and by tests.
    const EXAMPLE: &'static str;
    /// The state found, as far as the decision needs it.
    type Seen: Serialize + DeserializeOwned + Debug;

    /// Problems that types cannot express, by field.
    fn check(&self) -> Vec<Problem>;
    /// What may run at the same time as this resource, where that is not the same for all of the kind.
    fn class(&self) -> Class {
        Self::CLASS
    }
    /// What it owns.
    fn claims(&self) -> Vec<Claim>;
    /// What it needs to come first, if somebody claims it.
    fn wants(&self) -> Vec<Thing>;
    /// Looks, and changes nothing.
    fn probe(&self, system: &dyn System) -> Result<Self::Seen, Failure>;
    /// What to do about the difference. Pure. A refusal says what would have to be changed to have it.
    fn plan(&self, seen: &Self::Seen) -> Result<Vec<Step>, Failure>;
    /// The answer to a notification. Pure.
    fn refresh(&self, _seen: &Self::Seen) -> Vec<Step> {
        Vec::new()
    }
    /// How the thing tells whether the configuration that it would read is good; `None` where it does not. Pure.
    fn config_check(&self) -> Option<Check> {
        None
    }
    /// What answers a notification in a run that is not for this resource; `None` where only its own can. Pure.
    fn answer(&self) -> Option<Answer> {
        None
    }
    /// The steps that remove the thing, for `on_removal = "remove"`; `None` where it cannot be removed.
    fn removal(&self, _seen: &Self::Seen) -> Option<Vec<Step>> {
        None
    }
}
