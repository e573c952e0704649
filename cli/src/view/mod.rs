//! All printing, and nothing else. What comes from a host is shown inert: control characters are escaped.

pub mod ask;
mod color;
pub mod diagnostics;
pub mod events;
pub mod explain;
pub mod graph;
pub mod history;
pub mod init;
mod lines;
mod messages;
mod out;
mod plan;
mod planned;
mod progress;
mod rehearsal;
pub mod valid;
mod words;
pub mod wrong;

pub use messages::{facts, failure, misuse, refused, stopping, text, usage};
