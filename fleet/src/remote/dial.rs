//! From a name and a port to an open TCP connection, with the dead ends told apart. Knows nothing of SSH.

use crate::endpoint::Endpoint;
use crate::trouble::{Stage, Trouble};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

/// Connects to the first address that answers, with a stream that does not block, all within `ConnectTimeout`: each address gets an equal share of what is left, so that
/// a dead one leaves time for the next.
///
/// # Errors
/// Of several addresses, what says most: refused, then timed out, then no route.
pub(super) fn dial(endpoint: &Endpoint) -> Result<TcpStream, Trouble> {
    let addresses = resolve(endpoint)?;
    let end = Instant::now() + endpoint.connect_timeout;
    let mut worst = None;
    for (index, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let share = end.saturating_duration_since(Instant::now()) / left;
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(stream) => {
                // Each message is written whole; waiting to fill a segment would only delay it.
                let set = stream.set_nodelay(true).and_then(|()| stream.set_nonblocking(true));
                set.map_err(|error| no_route(address, &error))?;
                return Ok(stream);
            }
            Err(error) => worst = telling(worst, trouble(endpoint, address, &error)),
        }
    }
    Err(worst.unwrap_or_else(|| unknown(endpoint, "it has no address")))
}

fn resolve(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, Trouble> {
    match (endpoint.host.as_str(), endpoint.port).to_socket_addrs() {
        Ok(addresses) => Ok(addresses.collect()),
        Err(error) => {
            let text = error.to_string();
            // What std puts before the words of getaddrinfo(3).
            Err(unknown(endpoint, text.trim_start_matches("failed to lookup address information: ")))
        }
    }
}

fn unknown(endpoint: &Endpoint, because: &str) -> Trouble {
    Trouble::NameUnknown { host: endpoint.host.clone(), because: because.to_owned() }
}

fn trouble(endpoint: &Endpoint, address: &SocketAddr, error: &io::Error) -> Trouble {
    match error.kind() {
        ErrorKind::ConnectionRefused => Trouble::ConnectionRefused { address: address.to_string() },
        ErrorKind::TimedOut => Trouble::Timeout {
            stage: Stage::Connect,
            limit: endpoint.connect_timeout,
            setting: " (ConnectTimeout)",
        },
        _ => no_route(address, error),
    }
}

fn no_route(address: &SocketAddr, error: &io::Error) -> Trouble {
    Trouble::NoRoute { address: address.to_string(), because: error.to_string() }
}

/// The one that says more.
fn telling(first: Option<Trouble>, second: Trouble) -> Option<Trouble> {
    let rank = |trouble: &Trouble| match trouble {
        Trouble::ConnectionRefused { .. } => 0,
        Trouble::Timeout { .. } => 1,
        _ => 2,
    };
    Some(first.filter(|first| rank(first) <= rank(&second)).unwrap_or(second))
}

#[cfg(test)]
mod tests {
    use super::telling;
    use crate::trouble::{Stage, Trouble};
    use std::time::Duration;

    #[test]
    fn of_several_addresses_the_most_telling_trouble_is_kept() {
        let refused = Trouble::ConnectionRefused { address: "a".into() };
        let late = Trouble::Timeout { stage: Stage::Connect, limit: Duration::from_secs(1), setting: "" };
        let no_route = Trouble::NoRoute { address: "b".into(), because: "c".into() };
        for (first, second, kept) in [
            (None, &no_route, &no_route),
            (Some(&no_route), &late, &late),
            (Some(&late), &no_route, &late),
            (Some(&late), &refused, &refused),
            (Some(&refused), &late, &refused),
        ] {
            assert_eq!(telling(first.cloned(), second.clone()).as_ref(), Some(kept));
        }
    }
}
