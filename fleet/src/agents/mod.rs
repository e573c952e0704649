//! The agents that `keel` can put on hosts: files beside it, one for each machine.

mod agent;
mod all;
mod machine;

pub use agent::Agent;
pub use all::Agents;
