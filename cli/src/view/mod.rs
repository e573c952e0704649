//! All printing, and nothing else. What comes from a host is shown inert: control characters are escaped.

#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub mod agent;
pub mod ask;
pub mod bundle;
pub mod checks;
mod color;
pub mod diagnostics;
mod drift;
pub mod drill;
pub mod explain;
pub mod graph;
mod group;
mod history;
pub mod init;
mod json;
mod kept;
mod lines;
mod many;
mod messages;
mod names;
mod one;
mod out;
mod plan;
mod planned;
mod rehearsal;
pub mod secret;
mod settled;
pub mod show;
pub mod tests;
mod told;
pub mod valid;
mod words;
pub mod wrong;

pub use ask::Leave;
pub use messages::{Stopped, failure, misuse, refused, remark, stopping, text, usage};
pub use out::{is_lost, let_go};
pub use words::lock;
