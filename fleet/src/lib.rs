//! Many hosts: which of the inventory are meant, how they are reached, and one piece of work pushed to each of them.
//! Knows no language and no host's inside.

mod agents;
mod bootstrap;
pub mod config;
mod elevate;
mod endpoint;
mod inert;
pub mod known_hosts;
mod pattern;
mod push;
mod remote;
mod runs;
mod select;
mod sources;
mod talk;
mod trouble;
mod watch;

pub use agents::{Agent, Agents};
pub use bootstrap::Places;
pub use elevate::{AskPassword, Password};
pub use endpoint::{Endpoint, RecordedNames, UnknownKeys};
pub use push::{Connect, Controller, End, Patience, Prepared, Push, Resume, Target, push};
pub use remote::{
    Access, Keep, Keeper, Keyring, Passwords, Pipe, Prompts, Received, Remote, Spare, Spawned, Taken,
    Transport, connect,
};
pub use runs::{Lost, Runs};
pub use select::{Entry, Unmatched, select};
pub use sources::{Found, Source};
pub use trouble::{Stage, Trouble};
