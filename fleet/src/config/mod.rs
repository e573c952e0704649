//! From what inventory, command line and `~/.ssh/config` say of a host to its `Endpoint`. Connects to nothing. Next: a transport.
//!
//! The files are read as ssh_config(5) has it: `asked` -> `read` (`words`, `glob`, `matching`) -> `said` -> `resolve` (`lines`, `expand`, `hop`, `beyond`).

mod aliases;
mod asked;
mod beyond;
mod expand;
mod glob;
mod hop;
mod key_file;
mod lines;
mod matching;
mod misspelled;
mod options;
mod read;
mod resolve;
mod said;
mod surroundings;
mod words;

pub(crate) use aliases::aliases;
pub use asked::{Asked, Overrides};
pub(crate) use options::option;
pub use resolve::resolve;
pub use surroundings::{SshFiles, Surroundings};
