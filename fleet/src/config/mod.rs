//! From what inventory, command line and `~/.ssh/config` say of a host to its `Endpoint`. Connects to nothing. Next: a transport.

mod asked;
mod surroundings;

pub use asked::{Asked, Overrides};
pub use surroundings::{SshFiles, Surroundings};
