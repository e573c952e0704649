//! The host, as whoever starts the agent knows it. It does nothing by itself.

use crate::report::way::Outside;
use agent::session::Clock;
use agent::state::StateDir;
use std::path::PathBuf;

/// The host, and what the agent needs of it.
pub struct Host<'a> {
    /// Its state.
    pub state: StateDir,
    /// Where the agent's settings stand, to be read again when they are altered.
    pub settings: Option<PathBuf>,
    /// Its name.
    pub name: String,
    /// Its machine-id(5); empty where it has none.
    pub machine_id: String,
    /// The time.
    pub clock: Clock<'a>,
    /// What its reports leave it by.
    pub outside: Outside,
}
