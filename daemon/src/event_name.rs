//! The names of what the agent tells, as settings and reports have them. What there is to tell is `report::What`: each of it has its name here,
//! or does not compile.

use serde::{Deserialize, Serialize};

/// The name of an event that the agent tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventName {
    /// The agent runs.
    Started,
    /// It ends.
    Stopped,
    /// There is a catalog that was not in force before.
    Catalog,
    /// The site cannot be compiled.
    NoCatalog,
    /// There is a bundle that was not in force before.
    Bundle,
    /// No newer bundle was taken.
    Refused,
    /// Resources were looked at.
    Looked,
    /// Somebody else changed a resource, and it is left so.
    Drift,
    /// A resource was put right.
    Corrected,
    /// What is desired of a resource has changed, and that waits.
    Held,
    /// A resource could not be told, or not be put right.
    Failed,
    /// A resource is as desired again.
    Even,
    /// A resource was corrected too often, and is left alone.
    Fight,
    /// Nobody had to correct it for long enough.
    FightOver,
    /// The agent changes nothing for a while.
    Paused,
    /// It goes on.
    Resumed,
    /// Something cannot be watched.
    Unwatched,
    /// Something the operator should know.
    Note,
}
