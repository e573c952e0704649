//! Writes a new key down: one line, whole or not at all, whoever else writes at the same time.

use super::entry::{Marker, entries};
use super::host_key::HostKey;
use super::name;
use crate::endpoint::{Endpoint, RecordedNames};
use crate::trouble::Trouble;
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Adds the key to the first known_hosts file, under the host's name, unless it is there already. The file is made with mode 0600, its
/// directory with 0700.
///
/// # Errors
/// `Trouble::HostKey` where that cannot be done: a key that is taken but not kept would be taken each time, whatever it is.
pub fn record(endpoint: &Endpoint, key: &HostKey) -> Result<(), Trouble> {
    let name = name::of(endpoint);
    // Such a name would be read as a pattern, a hash, a marker or several names.
    if name.is_empty()
        || name.contains(|c: char| c.is_whitespace() || c.is_control() || "*?!,#|@".contains(c))
    {
        return Err(Trouble::HostKey(format!(
            "the key of {name:?} cannot be recorded: this is no name of a host"
        )));
    }
    let Some(file) = endpoint.known_hosts.first() else {
        return Err(Trouble::HostKey(format!(
            "the key of {name} cannot be recorded: there is no known_hosts file"
        )));
    };
    append(file, &name, endpoint.recorded_names, key).map_err(|error| {
        Trouble::HostKey(format!("the key of {name} cannot be recorded in {}: {error}", file.display()))
    })
}

fn append(path: &Path, name: &str, names: RecordedNames, key: &HostKey) -> io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    lock(&file)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let (known, _) = entries(path, &String::from_utf8_lossy(&bytes));
    if known.iter().any(|entry| entry.marker == Marker::Plain && entry.key == *key && entry.is_of(name)) {
        return Ok(());
    }
    let shown = match names {
        RecordedNames::Plain => name.to_owned(),
        RecordedNames::Hashed => {
            let mut salt = [0; 20];
            getrandom::fill(&mut salt).map_err(io::Error::other)?;
            name::hashed(name, &salt)
        }
    };
    let unended = bytes.last().is_some_and(|last| *last != b'\n');
    let line = format!("{}{shown} {}\n", if unended { "\n" } else { "" }, key.to_text());
    file.write_all(line.as_bytes())
}

/// Waits until nobody else holds the file; let go when it is closed. ssh takes no lock, but adds lines in one write as well.
fn lock(file: &File) -> io::Result<()> {
    loop {
        match flock(file, FlockOperation::LockExclusive) {
            Err(rustix::io::Errno::INTR) => {}
            done => return Ok(done?),
        }
    }
}
