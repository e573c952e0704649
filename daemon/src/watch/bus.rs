//! What happens to units: the signals of systemd, over the socket that it keeps for root, so that no message bus has to run. Nothing is
//! asked: each unit that changes says so by itself (org.freedesktop.systemd1(5)). `agent::os::bus` speaks.

use agent::os::bus::{Connection, Kind, Message, SOCKET, path_of};
use model::Failure;
use rustix::fd::BorrowedFd;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Error;

/// A connection to the service manager.
pub struct Bus {
    connection: Connection,
    /// Units by the paths of their objects.
    units: BTreeMap<String, String>,
}

impl Bus {
    /// Listens for these units.
    ///
    /// # Errors
    /// systemd does not run this host, or does not answer.
    pub fn listen<'a>(units: impl Iterator<Item = &'a str>) -> Result<Self, Failure> {
        Connection::open().and_then(|connection| Self::over(connection, units)).map_err(failed)
    }

    fn over<'a>(mut connection: Connection, units: impl Iterator<Item = &'a str>) -> Result<Self, Error> {
        connection.listen()?;
        let mut bus = Self { connection, units: BTreeMap::new() };
        bus.mind(units);
        Ok(bus)
    }

    /// Listens for these units from now on.
    pub fn mind<'a>(&mut self, units: impl Iterator<Item = &'a str>) {
        self.units = units.map(|unit| (path_of(unit), unit.to_owned())).collect();
    }

    /// What becomes readable when something has happened.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.connection.fd()
    }

    /// The units that something happened to since.
    ///
    /// # Errors
    /// The connection is gone, as when systemd is executed anew.
    pub fn happened(&mut self) -> Result<Vec<String>, Failure> {
        let heard = self.connection.heard().map_err(failed)?;
        let found: BTreeSet<&String> = heard.iter().flat_map(|message| self.concerned(message)).collect();
        Ok(found.into_iter().cloned().collect())
    }

    fn concerned(&self, message: &Message) -> Vec<&String> {
        match message.member.as_deref().filter(|_| message.kind == Kind::Signal) {
            Some("PropertiesChanged") => {
                message.path.as_ref().and_then(|path| self.units.get(path)).into_iter().collect()
            }
            // Some unit was enabled, disabled, masked: which, it does not say.
            Some("UnitFilesChanged") => self.units.values().collect(),
            _ => Vec::new(),
        }
    }
}

fn failed(error: Error) -> Failure {
    Failure::io("listen to", SOCKET, error)
}

#[cfg(test)]
mod tests {
    use super::{Bus, path_of};
    use agent::os::bus::Connection;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    /// A signal as systemd writes it.
    fn message(path: &str, member: &str) -> Vec<u8> {
        let mut fields = Vec::new();
        let interface = "org.freedesktop.DBus.Properties";
        for (code, kind, text) in [(1, b'o', path), (2, b's', interface), (3, b's', member)] {
            fields.resize(fields.len().div_ceil(8) * 8, 0);
            fields.extend([code, 1, kind, 0]);
            fields.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
            fields.extend(text.bytes().chain([0]));
        }
        fields.resize(fields.len().div_ceil(8) * 8, 0);
        fields.extend([8, 1, b'g', 0, 1, b's', 0]);
        let length = u32::try_from(fields.len()).unwrap();
        let mut bytes = vec![b'l', 4, 1, 1, 8, 0, 0, 0, 1, 0, 0, 0];
        bytes.extend(length.to_le_bytes());
        bytes.extend(fields);
        bytes.resize(bytes.len().div_ceil(8) * 8, 0);
        bytes.extend([0; 8]);
        bytes
    }

    #[test]
    fn it_greets_and_hears_of_its_units_alone() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let manager = std::thread::spawn(move || {
            let mut line = [0; 64];
            let count = theirs.read(&mut line).unwrap();
            assert!(
                line[..count].starts_with(b"\0AUTH EXTERNAL 3") && line[..count].ends_with(b"\r\nBEGIN\r\n")
            );
            theirs.write_all(b"OK 0123\r\n").unwrap();
            for unit in ["ssh.service", "app.service", "cron.service"] {
                theirs.write_all(&message(&path_of(unit), "PropertiesChanged")).unwrap();
            }
            theirs.write_all(&message(&path_of("app.service"), "Other")).unwrap();
            theirs
        });
        let connection = Connection::over(ours).unwrap();
        let mut bus = Bus::over(connection, ["app.service", "cron.service"].into_iter()).unwrap();
        let mut theirs = manager.join().unwrap();
        assert_eq!(bus.happened().unwrap(), ["app.service", "cron.service"]);
        assert_eq!(bus.happened().unwrap(), [""; 0]);
        theirs.write_all(&message("/org/freedesktop/systemd1", "UnitFilesChanged")).unwrap();
        assert_eq!(bus.happened().unwrap(), ["app.service", "cron.service"], "one of them was disabled");
        drop(theirs);
        assert!(bus.happened().is_err());
    }
}
