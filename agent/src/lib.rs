//! Evenkeel on a host: a catalog comes in, the host converges, events go out. It never parses the language.
//!
//! `kinds` decide, `system` is the door to the host, the engine alone acts.

pub mod engine;
pub mod failpoint;
pub mod journal;
pub mod kind;
pub mod kinds;
#[cfg(target_os = "linux")]
pub mod os;
pub mod parts;
#[cfg(target_os = "linux")]
pub mod rehearse;
#[cfg(target_os = "linux")]
pub mod serve;
#[cfg(target_os = "linux")]
pub mod session;
#[cfg(target_os = "linux")]
pub mod state;
pub mod system;
pub mod undo;
#[cfg(target_os = "linux")]
pub mod work;
