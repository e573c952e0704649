//! The controller's side of the protocol, on the pipe of a running agent.

mod conversation;
mod facts;
mod outgoing;
mod task;

pub use conversation::converse;
pub use task::Task;
