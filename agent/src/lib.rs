//! Evenkeel on a host: a catalog comes in, the host converges, events go out. It never parses the language.
//!
//! `kinds` decide, `system` is the door to the host, the engine alone acts.

pub mod blobs;
pub mod kind;
pub mod kinds;
pub mod system;
pub mod undo;
