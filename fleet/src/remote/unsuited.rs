//! A connection that the transport in process could not make, and whether the other one may.

use crate::trouble::Trouble;

/// Why not.
#[derive(Debug)]
pub(super) struct Unsuited {
    pub(super) trouble: Trouble,
    /// What the system's `ssh` may be able to do that libssh2 is not.
    pub(super) openssh_may: Option<String>,
}

impl From<Trouble> for Unsuited {
    fn from(trouble: Trouble) -> Self {
        Self { trouble, openssh_may: None }
    }
}
