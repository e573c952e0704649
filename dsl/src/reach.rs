//! How a host is reached, as the inventory says it: the keys that hosts and groups share. Knows no network.

use crate::destination::{Destination, is_user};
use crate::document::{Item, Value};
use crate::host_key;
use crate::nearest::did_you_mean;
use crate::source::Extent;

/// How a host is reached; what is not said is left to `~/.ssh/config`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The user to log in as.
    pub user: Option<String>,
    /// The port of sshd.
    pub port: Option<u16>,
    /// The host must have one of these, each `TYPE BASE64`; known_hosts is asked where there is none.
    pub host_keys: Vec<String>,
    /// Hosts to go through, as `ProxyJump` of ssh_config(5): `none`, or destinations joined by commas.
    pub proxy_jump: Option<String>,
    /// What makes the connection.
    pub transport: Option<Transport>,
}

/// What makes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// libssh2, in process.
    Ssh2,
    /// The system's `ssh`.
    Openssh,
}

/// The keys of the inventory that say it.
pub const KEYS: &[&str] = &["user", "port", "host_key", "proxy_jump", "transport"];

/// A wrong value: code, message, place, help.
pub type Wrong = (&'static str, String, Extent, Option<String>);

impl Reach {
    /// With what `weaker` says where this says nothing.
    pub fn over(self, weaker: &Self) -> Self {
        Self {
            user: self.user.or_else(|| weaker.user.clone()),
            port: self.port.or(weaker.port),
            host_keys: if self.host_keys.is_empty() { weaker.host_keys.clone() } else { self.host_keys },
            proxy_jump: self.proxy_jump.or_else(|| weaker.proxy_jump.clone()),
            transport: self.transport.or(weaker.transport),
        }
    }

    /// Takes the value of one of [`KEYS`].
    pub fn take(&mut self, key: &str, item: Item) -> Result<(), Wrong> {
        let at = item.at;
        let wrong =
            |code, message: &str, help: &str| Err((code, message.to_owned(), at, Some(help.to_owned())));
        match (key, item.value) {
            ("user", Value::Text(user)) if is_user(&user) => self.user = Some(user),
            ("user", Value::Text(_)) => {
                return wrong("bad-user", "this is no name of a user", "write the name to log in with");
            }
            ("port", Value::Integer(port)) => match u16::try_from(port) {
                Ok(port) if port > 0 => self.port = Some(port),
                _ => return wrong("bad-port", "this is no port", "a port is a number from 1 to 65535"),
            },
            ("port", Value::Text(_)) => {
                return wrong("wrong-type", "`port` cannot be a string", "leave out the quotes");
            }
            ("host_key", value @ (Value::Text(_) | Value::Array(_))) => {
                self.host_keys = host_keys(value, at)?
            }
            ("proxy_jump", Value::Text(hops)) => self.proxy_jump = Some(jumps(&hops, at)?),
            ("transport", Value::Text(name)) => self.transport = Some(transport(&name, at)?),
            (_, value) => {
                return Err(("wrong-type", format!("`{key}` cannot be {}", value.type_name()), at, None));
            }
        }
        Ok(())
    }
}

fn host_keys(value: Value, at: Extent) -> Result<Vec<String>, Wrong> {
    let items = match value {
        Value::Array(items) => items,
        one => vec![Item { value: one, at }],
    };
    if items.is_empty() {
        let help = "leave `host_key` out to go by known_hosts".to_owned();
        return Err(("bad-host-key", "no key would fit".to_owned(), at, Some(help)));
    }
    let one = |Item { value, at }: Item| match value {
        Value::Text(text) => {
            host_key::checked(&text).map_err(|(what, help)| ("bad-host-key", what, at, Some(help)))
        }
        other => Err(("wrong-type", format!("expected a string, found {}", other.type_name()), at, None)),
    };
    items.into_iter().map(one).collect()
}

fn jumps(hops: &str, at: Extent) -> Result<String, Wrong> {
    if hops == "none" {
        return Ok(hops.to_owned());
    }
    for hop in hops.split(',') {
        let help = || Some("write \"[user@]host[:port]\", several joined by commas, or \"none\"".to_owned());
        hop.trim().parse::<Destination>().map_err(|why| ("bad-proxy-jump", why, at, help()))?;
    }
    Ok(hops.split(',').map(str::trim).collect::<Vec<_>>().join(","))
}

fn transport(name: &str, at: Extent) -> Result<Transport, Wrong> {
    match name {
        "ssh2" => Ok(Transport::Ssh2),
        "openssh" => Ok(Transport::Openssh),
        other => {
            let help = did_you_mean(other, ["ssh2", "openssh"]);
            let help = help.or_else(|| Some("there are \"ssh2\" and \"openssh\"".to_owned()));
            Err(("unknown-transport", format!("there is no transport `{other}`"), at, help))
        }
    }
}
