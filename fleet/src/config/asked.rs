//! What inventory and command line say of a host. Both are stronger than ssh_config(5).

use crate::endpoint::UnknownKeys;
use std::path::PathBuf;
use std::time::Duration;

/// One host that is to be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its name in the inventory, or the alias of `~/.ssh/config`.
    pub name: String,
    /// What the inventory says of it.
    pub inventory: Overrides,
    /// What the command line says of all hosts; stronger than the inventory.
    pub command_line: Overrides,
}

/// Settings of a connection that were said outside of ssh_config(5). What is `None` or empty was not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// In place of `HostName`.
    pub address: Option<String>,
    /// `Port`.
    pub port: Option<u16>,
    /// `User`.
    pub user: Option<String>,
    /// Keys the host must have one of, as `ssh-ed25519 AAAA…`; known_hosts is not asked then.
    pub host_keys: Vec<String>,
    /// `ProxyJump`: `[user@]host[:port]` or `ssh://…`, several with commas, or `none`.
    pub jump: Option<String>,
    /// Files of private keys, tried before those of ssh_config(5).
    pub identities: Vec<PathBuf>,
    /// In place of `StrictHostKeyChecking`.
    pub unknown_keys: Option<UnknownKeys>,
    /// `ConnectTimeout`.
    pub connect_timeout: Option<Duration>,
}

impl Overrides {
    /// These where they say something, and `weaker` where they do not. Identities are joined, the stronger ones first.
    #[must_use]
    pub fn over(&self, weaker: &Self) -> Self {
        Self {
            address: self.address.clone().or_else(|| weaker.address.clone()),
            port: self.port.or(weaker.port),
            user: self.user.clone().or_else(|| weaker.user.clone()),
            host_keys: if self.host_keys.is_empty() { &weaker.host_keys } else { &self.host_keys }.clone(),
            jump: self.jump.clone().or_else(|| weaker.jump.clone()),
            identities: self.identities.iter().chain(&weaker.identities).cloned().collect(),
            unknown_keys: self.unknown_keys.or(weaker.unknown_keys),
            connect_timeout: self.connect_timeout.or(weaker.connect_timeout),
        }
    }
}
