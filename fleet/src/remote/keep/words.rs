//! What a call and the process that keeps connections say to each other: messages in JSON; bytes of a command have frames of their own. Both are
//! the same program; sockets of another version have other names.

use crate::endpoint::Endpoint;
use crate::remote::spare::Spare;
use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};

/// What a call says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Say {
    /// First: which host is meant. Answered by [`Told::Connected`] or [`Told::Refused`], or by an end where a kept connection is of no use any more.
    Connect(Box<Endpoint>),
    /// First: this host's kept connection is to end.
    Leave(Box<Endpoint>),
    /// Start this command, the n-th; answered by [`Told::Running`] or [`Told::Trouble`]. The one before is not listened to any more.
    Exec(u64, String),
    /// The command that runs already is the n-th; answered by [`Told::Running`], or by [`Told::Trouble`] where there is none.
    Take(u64),
    /// The command's standard input has ended.
    EndInput,
    /// Start this one for the next call, when this one has ended.
    Spare(Box<Spare>),
    /// The command that runs is for the next call, in place of that one: it goes on.
    Stay,
}

/// What the process that keeps connections says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    /// What a user should know although it is no trouble.
    Note(String),
    /// The host is connected to, and has just shown that it is there; and what is known of a command that runs there already.
    Connected(Option<There>),
    /// The host is not connected to.
    Refused(Box<Refused>),
    /// The n-th command runs.
    Running(u64),
    /// It does not run, or its connection broke.
    Trouble(u64, Trouble),
    /// It has ended, with this status; `None` for a signal.
    Ended(u64, Option<i32>),
}

/// A command that runs already.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct There {
    pub(super) label: String,
    /// `None` where it says no lines of a script any more.
    pub(super) nonce: Option<String>,
}

/// Why there is no connection.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refused {
    /// What went wrong.
    pub(super) trouble: Trouble,
    /// What the system's `ssh` may be able to do.
    pub(super) openssh_may: Option<String>,
    /// Whether a question came up, such as for a passphrase. It was not asked.
    pub(super) has_questions: bool,
}
