//! Addresses of names, as the host has them: /etc/hosts, then the name servers of /etc/resolv.conf. The C library's resolver is not asked:
//! in a program that is linked statically it would load parts of another build's.

use super::dns::address_records;
use super::ground::Ground;
use model::{Failure, HostPath};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

/// Whoever knows names better than the files of a host: the system's resolver, in a program that has it.
pub trait Names: Sync {
    /// The addresses of `name`, by `until`.
    ///
    /// # Errors
    /// It has none, or they could not be found in time.
    fn addresses(&self, name: &str, until: Instant) -> Result<Vec<IpAddr>, Failure>;
}

/// The addresses of a name or address, the best first; not empty.
///
/// # Errors
/// There is none, or it could not be told.
pub fn addresses(host: &str, ground: &Ground<'_>, until: Instant) -> Result<Vec<IpAddr>, Failure> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let found = match ground.names {
        Some(names) => names.addresses(host, until)?,
        None => of_files(host, ground, until)?,
    };
    if found.is_empty() {
        return Err(Failure::unknown(host, "the name has no address"));
    }
    Ok(found)
}

fn of_files(host: &str, ground: &Ground<'_>, until: Instant) -> Result<Vec<IpAddr>, Failure> {
    let named = match ground.read("/etc/hosts") {
        Ok(text) => in_hosts(&text, host),
        Err(Failure::Missing { .. }) => Vec::new(),
        Err(failure) => return Err(failure),
    };
    match host {
        _ if !named.is_empty() => Ok(named),
        // RFC 6761, 6.3: it is this machine, whoever is asked.
        "localhost" => Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
        _ => address_records(host, ground, until),
    }
}

/// hosts(5): an address and its names, to a `#` or the end of the line.
fn in_hosts(text: &str, host: &str) -> Vec<IpAddr> {
    let line = |line: &str| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
    };
    text.lines().filter_map(line).collect()
}

impl Ground<'_> {
    /// A file of the host's that says where others are to be found; a link to it is followed.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn read(&self, path: &str) -> Result<String, Failure> {
        let bytes = match self.inside {
            Some(inside) => {
                let path = HostPath::new(path).map_err(|why| Failure::unknown(path, why))?;
                let path = crate::parts::follow::follow(inside.system, &path)?;
                inside.system.read(&path, 1 << 20)?
            }
            None => std::fs::read(path).map_err(|error| Failure::io("read", path, error))?,
        };
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::in_hosts;

    #[test]
    fn names_stand_behind_their_addresses() {
        let text = "127.0.0.1 localhost\n# 192.0.2.9 web\n192.0.2.7\tWeb.example.org web # the web\n\
            2001:db8::7 web\nnonsense web\n192.0.2.8 webs\n";
        for (name, found) in [
            ("web", "192.0.2.7 2001:db8::7"),
            ("web.example.org", "192.0.2.7"),
            ("localhost", "127.0.0.1"),
            ("the", ""),
            ("192.0.2.7", ""),
        ] {
            let told: Vec<String> = in_hosts(text, name).iter().map(ToString::to_string).collect();
            assert_eq!(told.join(" "), found, "{name}");
        }
    }
}
