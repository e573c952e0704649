//! How hosts are reached, as the command line says it. It decides nothing: `fleet::config` puts it together with the inventory
//! and `~/.ssh/config`.

use super::conditions::seconds;
use clap::ValueEnum;
use fleet::UnknownKeys;
use fleet::config::Overrides;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Where they stand in the help.
const HEADING: &str = "Options of a push";

/// Options of every verb that can be pushed.
#[derive(Clone, Debug, clap::Args)]
pub struct Connection {
    /// At most so many hosts at once.
    #[arg(long, value_name = "N", default_value = "32", conflicts_with = "local", help_heading = HEADING)]
    pub parallel: NonZeroUsize,
    /// The user to log in as, whatever inventory and configuration say.
    #[arg(long, value_name = "NAME", conflicts_with = "local", help_heading = HEADING)]
    user: Option<String>,
    /// A private key to try first; may be repeated.
    #[arg(long, value_name = "FILE", conflicts_with = "local", help_heading = HEADING)]
    identity: Vec<PathBuf>,
    /// Read in place of ~/.ssh/config and /etc/ssh/ssh_config.
    #[arg(long, value_name = "FILE", conflicts_with = "local", help_heading = HEADING)]
    pub ssh_config: Option<PathBuf>,
    /// What makes the connections: libssh2 in process, or the system's ssh. `auto` takes ssh2 where it can do what the
    /// configuration asks for.
    #[arg(long, value_enum, default_value_t = Transport::Auto, conflicts_with = "local", help_heading = HEADING)]
    pub transport: Transport,
    /// Logs in anew, and keeps no connection. Else one that is logged in is kept for a minute after its last use, for the next call.
    #[arg(long, conflicts_with = "local", help_heading = HEADING)]
    pub no_keep: bool,
    /// Takes and records the key of a host that no known_hosts file knows. A changed key is never taken.
    #[arg(long, conflicts_with = "local", help_heading = HEADING)]
    accept_new_host_key: bool,
    /// Asks for a password to log in with, once for all hosts, where no key is taken.
    #[arg(long, conflicts_with = "local", help_heading = HEADING)]
    pub ask_password: bool,
    /// Asks for the password of sudo, once for all hosts.
    #[arg(long, conflicts_with = "local", help_heading = HEADING)]
    pub ask_sudo_password: bool,
    /// Waits for hosts that are still booting, at most so long, such as 5m: for as long as nobody answers there, or users are not yet let in.
    #[arg(long, value_name = "DURATION", value_parser = seconds, conflicts_with = "local", help_heading = HEADING)]
    pub wait_ssh: Option<u64>,
}

impl Connection {
    /// As where no option is given, but for what is read in place of `~/.ssh/config`.
    #[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
    pub fn usual(ssh_config: Option<PathBuf>) -> Self {
        Self {
            parallel: NonZeroUsize::MIN,
            user: None,
            identity: Vec::new(),
            ssh_config,
            transport: Transport::Auto,
            no_keep: true,
            accept_new_host_key: false,
            ask_password: false,
            ask_sudo_password: false,
            wait_ssh: None,
        }
    }
}

/// What makes the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// The one that can do what is asked for.
    Auto,
    /// libssh2, in process.
    Ssh2,
    /// The system's `ssh`.
    Openssh,
}

impl Connection {
    /// What is said for all hosts.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            user: self.user.clone(),
            identities: self.identity.clone(),
            unknown_keys: self.accept_new_host_key.then_some(UnknownKeys::Record),
            ..Overrides::default()
        }
    }
}
