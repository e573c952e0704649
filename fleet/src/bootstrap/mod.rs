//! From a connection to a running agent: one command, which becomes root, finds or takes the agent, checks it and becomes it.

mod asked;
mod attempt;
mod bring;
mod dead_end;
mod listener;
mod nonce;
mod script;
mod spare;

pub use bring::{Brought, Means, bring};
pub use script::Places;
