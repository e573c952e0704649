//! Many hosts: which of the inventory are meant, how they are reached, and one piece of work pushed to each of them.
//! Knows no language and no host's inside.

pub mod config;
mod endpoint;
pub mod known_hosts;
mod remote;
mod select;
mod trouble;

pub use endpoint::{Endpoint, RecordedNames, UnknownKeys};
pub use remote::{Pipe, Received, Remote};
pub use select::{Entry, Unmatched, select};
pub use trouble::{Stage, Trouble};
