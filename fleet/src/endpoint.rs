//! Where a host is and how it is reached, when inventory, `~/.ssh/config` and command line have been put together.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// Everything that a transport needs to know of one host. Terms are those of ssh_config(5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// What it was called before `HostName` was looked up; what the system's `ssh` is given.
    pub alias: String,
    /// `HostName`: a name or an address.
    pub host: String,
    /// `Port`.
    pub port: u16,
    /// `User`.
    pub user: String,
    /// `IdentityFile`s, in order; the ones OpenSSH looks for where none is configured.
    pub identities: Vec<PathBuf>,
    /// `IdentitiesOnly`: of the agent's keys only those that `identities` name.
    pub identities_only: bool,
    /// The agent's socket (`IdentityAgent`, `SSH_AUTH_SOCK`); `None` for no agent.
    pub agent: Option<PathBuf>,
    /// `ProxyJump`, the first to be connected to first.
    pub jumps: Vec<Endpoint>,
    /// `UserKnownHostsFile` and `GlobalKnownHostsFile`; new keys go to the first.
    pub known_hosts: Vec<PathBuf>,
    /// `HashKnownHosts`: new keys are recorded under a hash of the name.
    pub recorded_names: RecordedNames,
    /// `HostKeyAlias`.
    pub host_key_alias: Option<String>,
    /// Keys the host must have one of, in OpenSSH's form, from the inventory; known_hosts is not asked then.
    pub host_keys: Vec<String>,
    /// What becomes of a key that nobody knows.
    pub unknown_keys: UnknownKeys,
    /// `ConnectTimeout`.
    pub connect_timeout: Duration,
    /// `ServerAliveInterval`; how often a silent host is asked whether it is there. Zero for never.
    pub alive_interval: Duration,
    /// `ServerAliveCountMax`; how many of these may stay unanswered.
    pub alive_count: u32,
    /// How long a connection is kept for later calls after its last use (`ControlPersist`); zero for not at all.
    pub keep: Duration,
    /// What of the configuration only the system's `ssh` can do, such as `ProxyCommand`.
    pub needs_openssh: Option<String>,
    /// What was said outside of ssh_config(5), as options for the system's `ssh` (`Port=2222`); the rest it reads itself.
    pub openssh_options: Vec<String>,
    /// What the system's `ssh` is to read instead of the usual configuration.
    pub openssh_config: Option<PathBuf>,
}

impl Endpoint {
    /// The same host over a connection that nobody shares: none is taken that an earlier call has kept, and the system's `ssh` takes none
    /// that is there already (`ControlPath` of ssh_config(5); the first value counts).
    pub fn fresh(&self) -> Self {
        let mut fresh = self.clone();
        fresh.openssh_options.retain(|option| option != UNSHARED);
        fresh.openssh_options.insert(0, UNSHARED.to_owned());
        fresh
    }

    /// True where nobody shares its connections.
    pub fn is_fresh(&self) -> bool {
        self.openssh_options.first().is_some_and(|option| option == UNSHARED)
    }

    /// True where both are the same host, whoever shares the connection.
    pub fn is_same_host(&self, other: &Self) -> bool {
        self.fresh() == other.fresh()
    }
}

/// No connection that is there already.
const UNSHARED: &str = "ControlPath=none";

/// How the name of a host stands beside a key that is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordedNames {
    /// As it is.
    Plain,
    /// As a salted hash.
    Hashed,
}

/// What becomes of a host key that is in no known_hosts file. A changed key is never taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnknownKeys {
    /// The connection ends.
    Refuse,
    /// It is taken and recorded.
    Record,
}
