//! What a configuration may refer to and depends on: who asks, and from where. Data, so that everything behind it is pure.

use crate::trouble::Trouble;
use rustix::process::getuid;
use rustix::system::uname;
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

impl Surroundings {
    /// This process's, of its environment: `HOME`, and `USER` or `LOGNAME`. Variables that are not UTF-8 are left out.
    ///
    /// # Errors
    /// `Trouble::Here` where one of them is not set.
    pub fn here() -> Result<Self, Trouble> {
        let texts = std::env::vars_os().map(|(name, value)| (name.into_string(), value.into_string()));
        let variables: BTreeMap<_, _> =
            texts.filter_map(|(name, value)| Some((name.ok()?, value.ok()?))).collect();
        let of = |names: &[&str]| {
            let found = names.iter().find_map(|name| variables.get(*name).filter(|value| !value.is_empty()));
            found
                .cloned()
                .ok_or_else(|| Trouble::Here(format!("the environment has no {}", names.join(" or "))))
        };
        Ok(Self {
            home: PathBuf::from(of(&["HOME"])?),
            user: of(&["USER", "LOGNAME"])
                .or_else(|error| if getuid().is_root() { Ok("root".to_owned()) } else { Err(error) })?,
            uid: getuid().as_raw(),
            machine: uname().nodename().to_string_lossy().into_owned(),
            variables,
        })
    }
}
