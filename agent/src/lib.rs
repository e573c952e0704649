//! Evenkeel on a host: a catalog comes in, the host converges, events go out. It never parses the language.
//!
//! `kinds` decide, `system` is the door to the host, the engine alone acts.

pub mod checks;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub mod detached;
pub mod drills;
pub mod engine;
pub mod failpoint;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub mod journal;
pub mod kind;
pub mod kinds;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub mod os;
pub mod parts;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub mod rehearse;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub mod serve;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub mod session;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub mod state;
pub mod system;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub mod traces;
mod turns;
pub mod undo;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub mod work;
