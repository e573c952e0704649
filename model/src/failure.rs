//! What can go wrong out in the world. Never the user's input: that is a [`crate::Diagnostic`].

use serde::{Deserialize, Serialize};

/// One thing that failed on a host, in words an operator can act on. Texts that came from the host are capped and
/// hold no control characters; secrets never get in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// A system call on a path failed.
    #[error("{action} {path}: {message}")]
    Io {
        /// What was tried, such as `open` or `rename`.
        action: String,
        /// The path it was tried on.
        path: String,
        /// The system's words, such as `No space left on device (os error 28)`.
        message: String,
    },
    /// A program ended with a status that was not asked for, or could not be started.
    #[error("`{argv}` {status}{}{stderr}", if stderr.is_empty() { "" } else { ": " })]
    Command {
        /// The program and its arguments, or only the program where they are sensitive.
        argv: String,
        /// How it ended, such as `exited with 2`, `was killed by signal 9`, `not found`.
        status: String,
        /// The tail of what it said.
        stderr: String,
    },
    /// A deadline passed.
    #[error("{what} took longer than {seconds} s")]
    Timeout {
        /// What was waited for.
        what: String,
        /// The deadline, in seconds.
        seconds: u64,
    },
    /// The thing is refused, by a rule that protects the host.
    #[error("{why}; {help}")]
    Refused {
        /// Why not.
        why: String,
        /// What to change to have it.
        help: String,
    },
    /// The state of a thing could not be told.
    #[error("cannot tell the state of {what}: {because}")]
    Unknown {
        /// The thing.
        what: String,
        /// Why it could not be told.
        because: String,
    },
    /// Something that has to exist does not.
    #[error("{what} does not exist")]
    Missing {
        /// The thing, such as `user deploy`.
        what: String,
    },
    /// The steps were done, and the host still is not as wanted: a fault of the kind, or somebody undid them.
    #[error("still not as wanted after acting: {what}")]
    Unverified {
        /// The differences that are left.
        what: String,
    },
}

impl Failure {
    /// An I/O failure.
    pub fn io(action: &str, path: impl std::fmt::Display, error: impl std::fmt::Display) -> Self {
        Self::Io { action: action.to_owned(), path: path.to_string(), message: error.to_string() }
    }

    /// A refusal.
    pub fn refused(why: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Refused { why: why.into(), help: help.into() }
    }

    /// A state that could not be told.
    pub fn unknown(what: impl Into<String>, because: impl Into<String>) -> Self {
        Self::Unknown { what: what.into(), because: because.into() }
    }
}
