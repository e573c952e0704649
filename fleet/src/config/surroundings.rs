//! What a configuration may refer to and depends on: who asks, and from where. Data, so that everything behind it is pure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the configuration of ssh is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshFiles {
    /// `~/.ssh/config`; need not be there.
    pub user: PathBuf,
    /// `/etc/ssh/ssh_config`; need not be there.
    pub system: PathBuf,
    /// What is read instead of both, as with `ssh -F`; has to be there.
    pub instead: Option<PathBuf>,
}

impl SshFiles {
    /// Where ssh looks for them.
    pub fn usual(home: &Path) -> Self {
        Self { user: home.join(".ssh/config"), system: PathBuf::from("/etc/ssh/ssh_config"), instead: None }
    }
}

/// Who asks, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// The user's home directory.
    pub home: PathBuf,
    /// The user's name; it is also the name to log in with where nothing says another.
    pub user: String,
    /// The user's number.
    pub uid: u32,
    /// The name of this machine.
    pub machine: String,
    /// The environment: `${NAME}` in paths, and `SSH_AUTH_SOCK`.
    pub variables: BTreeMap<String, String>,
}
