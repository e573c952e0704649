//! All printing, and nothing else. What comes from a host is shown inert: control characters are escaped.

pub mod ask;
pub mod diagnostics;
pub mod events;
pub mod history;
mod messages;
mod out;
pub mod plan;
mod rehearsal;
pub mod wrong;

pub use messages::{ended, facts, failure, misuse, usage, valid};
