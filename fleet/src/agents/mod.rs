//! The agents that `keel` can put on hosts: files beside it, one for each machine.

mod agent;
mod agents;
mod machine;

pub use agent::Agent;
pub use agents::Agents;
