//! Connections as the command line wants them: which transport each host has, and whom to ask for passphrases and passwords.

use super::connection::Transport;
use super::crew::Hosts;
use super::keep;
use crate::view::ask::Terminal;
use fleet::{Access, Endpoint, Keep, Keyring, Passwords, Remote, Target, Trouble};
use std::sync::Arc;

/// What the connections to all hosts share.
pub struct Login {
    ways: Vec<Way>,
    passwords: Passwords,
    keyring: Arc<Keyring>,
    keep: Option<Keep>,
}

/// How one host is reached.
struct Way {
    name: String,
    endpoint: Endpoint,
    transport: fleet::Transport,
}

impl Login {
    /// Of hosts and their endpoints, which are in the same order. A passphrase that `keyring` knows is not asked for again.
    pub fn new(hosts: &Hosts, targets: &[Target], keyring: Arc<Keyring>) -> Self {
        let way = |(target, transport): (&Target, Transport)| {
            let endpoint = target.endpoint.as_ref().ok()?.clone();
            let transport = match transport {
                Transport::Auto => fleet::Transport::Auto,
                Transport::Ssh2 => fleet::Transport::Ssh2,
                Transport::Openssh => fleet::Transport::OpenSsh,
            };
            Some(Way { name: target.name.clone(), endpoint, transport })
        };
        let transports = hosts.list.iter().map(|host| host.transport);
        Self {
            ways: targets.iter().zip(transports).filter_map(way).collect(),
            passwords: if hosts.connection.ask_password { Passwords::Ask } else { Passwords::Never },
            keyring,
            keep: if hosts.connection.no_keep { None } else { keep::connections() },
        }
    }

    /// The same by logins alone: no connection is taken that was kept, and none is kept.
    pub fn afresh(self) -> Self {
        Self { keep: None, ..self }
    }

    /// Connects and logs in; `note` is told what is no trouble, of which host.
    pub fn connect(
        &self,
        endpoint: &Endpoint,
        note: &(dyn Fn(&str, &str) + Sync),
    ) -> Result<Box<dyn Remote>, Trouble> {
        let way = self.ways.iter().find(|way| way.endpoint.is_same_host(endpoint));
        let (name, transport) = way.map_or((endpoint.alias.as_str(), fleet::Transport::Auto), |way| {
            (way.name.as_str(), way.transport)
        });
        let own = format!("{}: ", endpoint.alias);
        let access = Access {
            prompts: &Terminal,
            transport,
            passwords: self.passwords,
            keyring: &self.keyring,
            // Notes about hosts on the way say which; of the host itself it is said already.
            notes: &|text| note(name, text.strip_prefix(&own).unwrap_or(text)),
            keep: self.keep.as_ref(),
        };
        fleet::connect(endpoint, &access)
    }
}
