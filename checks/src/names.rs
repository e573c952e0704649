//! The system's resolver, as everything else on the machine where `keel` runs uses it.

use agent::checks::Names;
use model::Failure;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::time::Instant;

/// The C library's.
pub struct Resolver;

impl Names for Resolver {
    /// It knows no deadline: past ours it is left to itself.
    fn addresses(&self, name: &str, until: Instant) -> Result<Vec<IpAddr>, Failure> {
        let (tell, told) = mpsc::channel();
        let asked = name.to_owned();
        let asking = move || {
            let found = (asked.as_str(), 0).to_socket_addrs();
            // Nobody may be waiting any more.
            drop(tell.send(found.map(|all| all.map(|address: SocketAddr| address.ip()).collect())));
        };
        std::thread::Builder::new().spawn(asking).map_err(|error| Failure::io("resolve", name, error))?;
        match told.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(Failure::unknown(name, format!("its address cannot be found: {error}"))),
            Err(_) => Err(Failure::unknown(name, "its address could not be found in time")),
        }
    }
}
