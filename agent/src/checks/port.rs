//! The subject `port`: whether something listens.

use super::channel::{Closed, reach};
use super::ground::Ground;
use super::subject::Subject;
use crate::kind::Listed;
use model::{CheckSide, Failure, HostPath, Problem, Shortfall};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Instant;

/// A port: whether it takes connections. `port = 80` is short for `port = { number = 80 }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// Its number, from 1.
    number: u16,
    /// The address that is connected to; unless said this machine (127.0.0.1), and with `from = "keel"` the host's own. Of UDP nothing is
    /// connected to, and it is no use.
    address: Option<String>,
    /// `udp` is told by the sockets that the host has: nobody can knock there.
    #[serde(default)]
    protocol: Protocol,
    /// Whether it has to be open. A port that gives no answer at all is neither: that cannot be told of `closed`.
    #[serde(default)]
    state: State,
}

/// How a port is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Protocol {
    #[default]
    Tcp,
    Udp,
}

/// What a port is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    #[default]
    Open,
    Closed,
}

impl Listed for Port {
    const NAME: &'static str = "port";
    const SHORT: &'static str = "number";
    const EXAMPLE: &'static str = "[check.ssh]\nport = 22\n\n[check.no-telnet]\nport = { number = 23, state = \"closed\" }\n\n[check.web]\nport = 443\nfrom = \"keel\"        # as others see it, not as the host does\nwithin = \"30s\"\n";

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.number == 0 {
            problems.push(Problem::at("number", "there is no port 0").help("ports go from 1 to 65535"));
        }
        if self.protocol == Protocol::Udp && self.address.is_some() {
            let message = "a UDP port is looked up in the host's sockets, at whatever address";
            problems.push(Problem::at("address", message).help("leave `address` out"));
        }
        problems
    }

    fn sides(&self) -> &'static [CheckSide] {
        match self.protocol {
            Protocol::Tcp => &[CheckSide::Host, CheckSide::Keel],
            Protocol::Udp => &[CheckSide::Host],
        }
    }
}

impl Subject for Port {
    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure> {
        let (is_open, seen) = match self.protocol {
            Protocol::Tcp => self.tcp(ground)?,
            Protocol::Udp => self.udp(ground)?,
        };
        let wanted = match self.state {
            State::Open if !is_open => "open",
            State::Closed if is_open => "closed",
            _ => return Ok(Vec::new()),
        };
        Ok(vec![Shortfall::new(&format!("port {}", self.number), wanted, seen)])
    }
}

impl Port {
    fn tcp(&self, ground: &Ground<'_>) -> Result<(bool, String), Failure> {
        // This machine, said to somebody else, is the host.
        let said = self.address.as_deref();
        let said = said.filter(|name| ground.inside.is_some() || !Ground::is_loopback(name));
        let address = said.unwrap_or(ground.address);
        match reach(address, self.number, (ground, Instant::now() + ground.timeout)) {
            Ok(_) => Ok((true, "open".to_owned())),
            Err(Closed::Refused(why)) => Ok((false, format!("closed: {why}"))),
            Err(Closed::Silent(why)) if self.state == State::Open => Ok((false, why)),
            Err(Closed::Silent(why)) => Err(Failure::unknown(format!("port {}", self.number), why)),
            Err(Closed::Failed(failure)) => Err(failure),
        }
    }

    /// Sockets of UDP are open where they are bound and connected to nobody.
    fn udp(&self, ground: &Ground<'_>) -> Result<(bool, String), Failure> {
        let system = ground.system()?;
        let (mut looked, mut open) = (false, false);
        for table in ["/proc/1/net/udp", "/proc/1/net/udp6"] {
            let path = HostPath::new(table).map_err(|why| Failure::unknown(table, why))?;
            match system.read(&path, 16 << 20) {
                Ok(bytes) => {
                    looked = true;
                    open |= bound(&String::from_utf8_lossy(&bytes), self.number);
                }
                // A kernel without IPv6.
                Err(Failure::Missing { .. }) => {}
                Err(failure) => return Err(failure),
            }
        }
        if !looked {
            return Err(Failure::unknown("the sockets", "/proc does not tell them"));
        }
        Ok((open, if open { "open" } else { "no socket" }.to_owned()))
    }
}

/// Whether a table of proc_pid_net(5) has a socket of this port: `sl  local_address rem_address …`, in hex.
fn bound(table: &str, port: u16) -> bool {
    table.lines().skip(1).any(|line| {
        let mut words = line.split_whitespace().skip(1);
        let number = |word: Option<&str>| u16::from_str_radix(word?.rsplit_once(':')?.1, 16).ok();
        (number(words.next()), number(words.next())) == (Some(port), Some(0))
    })
}
