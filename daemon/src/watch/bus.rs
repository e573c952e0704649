//! What happens to units: the signals of systemd, over the socket that it keeps for root (the one systemctl(1) uses), so that no message
//! bus has to run. Nothing is asked: each unit that changes says so by itself (org.freedesktop.systemd1(5)). `signal` reads them.

use super::signal::{Signal, take};
use model::Failure;
use rustix::fd::{AsFd, BorrowedFd};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Where systemd listens for root.
const SOCKET: &str = "/run/systemd/private";

/// How long it may take to greet.
const GREETING: Duration = Duration::from_secs(5);

/// Longest greeting, in bytes.
const LONGEST: usize = 4096;

/// A connection to the service manager.
pub struct Bus {
    stream: UnixStream,
    buffer: Vec<u8>,
    /// Units by the paths of their objects.
    units: BTreeMap<String, String>,
}

impl Bus {
    /// Listens for these units.
    ///
    /// # Errors
    /// systemd does not run this host, or does not answer.
    pub fn listen<'a>(units: impl Iterator<Item = &'a str>) -> Result<Self, Failure> {
        let failed = |error| Failure::io("listen to", SOCKET, error);
        let stream = UnixStream::connect(SOCKET).map_err(failed)?;
        Self::greet(stream, units).map_err(failed)
    }

    /// Says who we are, as the D-Bus specification has it ("Authentication Protocol", mechanism EXTERNAL).
    fn greet<'a>(mut stream: UnixStream, units: impl Iterator<Item = &'a str>) -> std::io::Result<Self> {
        stream.set_read_timeout(Some(GREETING))?;
        stream.set_write_timeout(Some(GREETING))?;
        let uid = rustix::process::geteuid().as_raw().to_string();
        let uid: String = uid.bytes().map(|digit| format!("{digit:02x}")).collect();
        stream.write_all(format!("\0AUTH EXTERNAL {uid}\r\n").as_bytes())?;
        let mut answer = Vec::new();
        // One byte at a time: what follows the line is a message.
        while !answer.ends_with(b"\r\n") {
            let mut byte = [0];
            if stream.read(&mut byte)? == 0 || answer.len() > LONGEST {
                return Err(std::io::Error::new(ErrorKind::UnexpectedEof, "it does not greet"));
            }
            answer.push(byte[0]);
        }
        if !answer.starts_with(b"OK") {
            return Err(std::io::Error::new(ErrorKind::PermissionDenied, "it does not let us in"));
        }
        stream.write_all(b"BEGIN\r\n")?;
        stream.set_nonblocking(true)?;
        let units = units.map(|unit| (path_of(unit), unit.to_owned())).collect();
        Ok(Self { stream, buffer: Vec::new(), units })
    }

    /// Listens for these units from now on.
    pub fn mind<'a>(&mut self, units: impl Iterator<Item = &'a str>) {
        self.units = units.map(|unit| (path_of(unit), unit.to_owned())).collect();
    }

    /// What becomes readable when something has happened.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// The units that something happened to since.
    ///
    /// # Errors
    /// The connection is gone, as when systemd is executed anew.
    pub fn happened(&mut self) -> Result<Vec<String>, Failure> {
        let failed = |error| Failure::io("listen to", SOCKET, error);
        let mut found = Vec::new();
        let mut piece = [0; 8192];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return Err(failed(ErrorKind::ConnectionReset.into())),
                Ok(count) => self.buffer.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
            while let Some((signal, length)) = take(&self.buffer).map_err(failed)? {
                self.buffer.drain(..length);
                found.extend(signal.and_then(|signal| self.unit(&signal)));
            }
        }
        found.dedup();
        Ok(found)
    }

    fn unit(&self, signal: &Signal) -> Option<String> {
        let is_change = signal.member == "PropertiesChanged";
        self.units.get(&signal.path).filter(|_| is_change).cloned()
    }
}

/// The path of a unit's object: what is neither letter nor digit stands as `_` and two hexadecimal digits, a digit at the beginning too
/// (sd_bus_path_encode(3)).
fn path_of(unit: &str) -> String {
    let mut path = "/org/freedesktop/systemd1/unit/".to_owned();
    for (at, byte) in unit.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => path.push(byte.into()),
            b'0'..=b'9' if at > 0 => path.push(byte.into()),
            _ => path.push_str(&format!("_{byte:02x}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::{Bus, path_of};
    use crate::watch::signal::message;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_unit_has_a_path() {
        for (unit, path) in [
            ("ssh.service", "ssh_2eservice"),
            ("getty@tty1.service", "getty_40tty1_2eservice"),
            ("7up.service", "_37up_2eservice"),
        ] {
            assert_eq!(path_of(unit), format!("/org/freedesktop/systemd1/unit/{path}"));
        }
    }

    #[test]
    fn it_greets_and_hears_of_its_units_alone() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let manager = std::thread::spawn(move || {
            let mut line = [0; 64];
            let count = theirs.read(&mut line).unwrap();
            assert!(line[..count].starts_with(b"\0AUTH EXTERNAL 3"));
            theirs.write_all(b"OK 0123\r\n").unwrap();
            let mut begin = [0; 7];
            theirs.read_exact(&mut begin).unwrap();
            assert_eq!(&begin, b"BEGIN\r\n");
            for unit in ["ssh.service", "app.service", "cron.service"] {
                theirs.write_all(&message(&path_of(unit), "PropertiesChanged")).unwrap();
            }
            theirs.write_all(&message(&path_of("app.service"), "Other")).unwrap();
            theirs
        });
        let mut bus = Bus::greet(ours, ["app.service", "cron.service"].into_iter()).unwrap();
        let theirs = manager.join().unwrap();
        assert_eq!(bus.happened().unwrap(), ["app.service", "cron.service"]);
        assert_eq!(bus.happened().unwrap(), [""; 0]);
        drop(theirs);
        assert!(bus.happened().is_err());
    }
}
