//! Evenkeel on a host: a catalog comes in, the host converges, events go out. It never parses the language.
//!
//! `kinds` decide, `system` is the door to the host, the engine alone acts.

pub mod attributes;
pub mod blobs;
pub mod duration;
pub mod engine;
pub mod ensure;
pub mod failpoint;
pub mod follow;
pub mod journal;
pub mod kind;
pub mod kinds;
pub mod members;
pub mod mode;
#[cfg(target_os = "linux")]
pub mod os;
pub mod place;
pub mod reach;
#[cfg(target_os = "linux")]
pub mod rehearse;
#[cfg(target_os = "linux")]
pub mod session;
#[cfg(target_os = "linux")]
pub mod state;
pub mod system;
pub mod tree;
pub mod undo;
