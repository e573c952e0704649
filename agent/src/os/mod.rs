//! The safety core: every way in which the agent touches a host's files and processes, each in one file that kinds cannot bypass.
//! Nothing here decides what should change. Paths are walked by descriptor, changes are made on descriptors, children are
//! started from an argv with a cleared environment. `trait System` is built on this.

mod ask_to_stop;
pub mod atomic_write;
pub mod attributes;
pub mod bus;
pub mod capture;
pub mod child;
pub mod clock;
pub mod error;
pub mod facts;
mod file_syncs;
pub mod host;
mod letting_go;
pub mod lock;
pub mod make;
pub mod memory;
pub mod meta;
pub(crate) mod mounts;
pub mod moving;
pub(crate) mod namespace;
pub mod parent;
mod pipes;
mod preview;
pub mod remove;
pub mod safe_path;
pub(crate) mod second_name;
mod swap;
pub mod tied;
mod walk;
pub mod write_many;
pub mod xattr;

pub use ask_to_stop::ask_to_stop;
pub use error::OsError;
pub use meta::{Expect, FileKind, Identity, Meta};

#[cfg(test)]
mod tests;
