//! A command that one call has started for the next, over a connection that is kept. It knows neither what the command is nor what is said to it.

use super::pipe::Pipe;
use serde::{Deserialize, Serialize};

/// A command to be started ahead: it waits for a first word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spare {
    /// What it is: the same where a call would start the same, but for the nonce.
    pub label: String,
    /// The word by which its lines are known.
    pub nonce: String,
    /// The command.
    pub command: String,
    /// The first bytes that it is sent. They may be sent though nobody takes it then.
    pub word: Vec<u8>,
}

/// One that was started, and has been sent its first word.
pub struct Taken {
    /// Its label.
    pub label: String,
    /// Its nonce; `None` where it has said its lines to the call before.
    pub nonce: Option<String>,
    /// Its streams, with all that it has said.
    pub pipe: Box<dyn Pipe>,
}
