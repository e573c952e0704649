//! A way to a server: TCP, within a time in all, and what TLS on top of it would be.

use super::ground::Ground;
use super::names::addresses;
use model::{Failure, Shortfall};
use rustix::io::Errno;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Bytes both ways.
pub trait Channel: Read + Write {
    /// The connection under it.
    fn socket(&self) -> &TcpStream;

    /// Says that nothing more is to come from here.
    ///
    /// # Errors
    /// It could not be said.
    fn finish(&mut self) -> io::Result<()> {
        self.socket().shutdown(Shutdown::Write)
    }
}

impl Channel for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

/// What speaks TLS.
pub trait Tls: Sync {
    /// Speaks it on `stream` with a server that is to be `wanted`.
    ///
    /// # Errors
    /// The server is not so, or it could not be told.
    fn open(&self, stream: TcpStream, wanted: &Certified<'_>) -> Result<Box<dyn Channel>, Unsecured>;
}

/// What a server's certificate has to be.
pub struct Certified<'a> {
    /// The name that it is for.
    pub name: &'a str,
    /// For at least so many seconds from now it is still valid.
    pub valid_for: u64,
    /// Certificates to trust in place of the system's, as PEM; empty for the system's.
    pub ca: &'a str,
    /// When it has to be known.
    pub until: Instant,
}

/// Why there is no TLS.
pub enum Unsecured {
    /// The server's is not as wanted.
    Short(Shortfall),
    /// It could not be told.
    Failed(Failure),
}

/// A connection that did not come about.
#[derive(Debug)]
pub enum Closed {
    /// Somebody said no.
    Refused(String),
    /// Nobody said anything.
    Silent(String),
    /// It could not be tried.
    Failed(Failure),
}

/// Connects to a name or address before `until`, one address of it after the other.
pub fn reach(host: &str, port: u16, (ground, until): (&Ground<'_>, Instant)) -> Result<TcpStream, Closed> {
    connect(&addresses(host, ground, until).map_err(Closed::Failed)?, port, until)
}

/// Connects to one of `addresses`.
pub fn connect(addresses: &[IpAddr], port: u16, until: Instant) -> Result<TcpStream, Closed> {
    let (mut worst, mut left) = (None, addresses.len() as u32);
    for address in addresses.iter().map(|address| SocketAddr::new(*address, port)) {
        let time = rest(until) / left.max(1);
        left = left.saturating_sub(1);
        let error = match TcpStream::connect_timeout(&address, time.max(SHORTEST)) {
            // Nobody took it: of ports that are given away the system may take the same for both ends.
            Ok(stream) if is_to_itself(&stream) => io::ErrorKind::ConnectionRefused.into(),
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        if worst.as_ref().is_none_or(|(_, known)| weight(&error) > weight(known)) {
            worst = Some((address, error));
        }
    }
    let Some((address, error)) = worst else {
        return Err(Closed::Failed(Failure::unknown("where to connect to", "there is no address")));
    };
    Err(match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            Closed::Silent(format!("no answer from {address}"))
        }
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => {
            Closed::Refused(format!("{address} refuses connections"))
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Closed::Silent(format!("{address} cannot be reached: {error}"))
        }
        _ => Closed::Failed(Failure::io("connect to", address, error)),
    })
}

fn is_to_itself(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(own), Ok(other)) if own == other)
}

/// Which of the troubles with several addresses counts: least one that this machine cannot speak to at all, as of IPv6; a refusal only where
/// there is no other, for the rest may still be open.
fn weight(error: &io::Error) -> u8 {
    match error.kind() {
        _ if error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error()) => 0,
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::NetworkUnreachable => 0,
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => 1,
        _ => 2,
    }
}

/// Zero would be for ever.
const SHORTEST: Duration = Duration::from_millis(1);

/// How much time is left.
pub fn rest(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// Gives the next read or write of `stream` the time that is left.
///
/// # Errors
/// None is left.
pub fn hurry(stream: &TcpStream, until: Instant) -> io::Result<()> {
    let left = rest(until);
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    stream.set_read_timeout(Some(left.max(SHORTEST)))?;
    stream.set_write_timeout(Some(left.max(SHORTEST)))
}

#[cfg(test)]
mod tests {
    use super::{Closed, connect, is_to_itself, weight};
    use rustix::net::{AddressFamily, SocketType, bind, connect as join, socket};
    use std::io;
    use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    fn free_port() -> u16 {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
    }

    #[test]
    fn a_connection_to_itself_is_told_from_one_that_somebody_took() {
        let own = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), free_port());
        let lonely = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&lonely, &own).unwrap();
        join(&lonely, &own).unwrap();
        assert!(is_to_itself(&TcpStream::from(lonely)));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_to_itself(&TcpStream::connect(listener.local_addr().unwrap()).unwrap()));
    }

    #[test]
    fn of_several_addresses_one_that_cannot_be_spoken_to_says_nothing_of_the_others() {
        let of = |code: i32| weight(&io::Error::from_raw_os_error(code));
        // No such address here, no such family, no network; refused; no answer, no host.
        let weights = [99, 97, 101, 111, 110, 113].map(of);
        assert_eq!(weights, [0, 0, 0, 1, 2, 2]);
        // Whether there is IPv6 here or not.
        let (port, soon) = (free_port(), Instant::now() + Duration::from_secs(2));
        let both = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let closed = connect(&both, port, soon);
        assert!(matches!(&closed, Err(Closed::Refused(why)) if why.starts_with("127.0.0.1:")), "{closed:?}");
    }
}
