//! The file of one host while a call watches its run: held by a lock, so that no other call takes the run for lost, and written in place,
//! at one stroke.

use super::record::Record;
use rustix::fs::{FlockOperation, flock, fstat, stat};
use rustix::io::Errno;
use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Bytes of a record with what fills it up: less than what a file system writes at once.
const SIZE: usize = 2048;

/// A host's file, locked.
pub(crate) struct Entry {
    file: File,
    path: PathBuf,
    is_durable: bool,
}

impl Entry {
    /// The file, made where it is not there; `None` while another call has it.
    ///
    /// # Errors
    /// It cannot be made or locked.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => return Ok(None),
                locked => locked?,
            }
            // Another call may have removed it between the two.
            let (here, there) = (fstat(&file)?, stat(path));
            if there.is_ok_and(|there| (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)) {
                return Ok(Some(Self { file, path: path.to_owned(), is_durable: false }));
            }
        }
    }

    /// What it holds; empty where it was just made.
    pub(super) fn text(&mut self) -> io::Result<String> {
        let mut bytes = Vec::new();
        (&self.file).take(SIZE as u64).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Keeps `record` in place of what was there. The first time it is on the disk when this returns.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn write(&mut self, record: &Record) -> Result<(), String> {
        self.put(record).map_err(|error| format!("{} cannot be written: {error}", self.path.display()))
    }

    fn put(&mut self, record: &Record) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(record)?;
        if bytes.len() >= SIZE {
            return Err(io::Error::other("the record is too long"));
        }
        bytes.resize(SIZE - 1, b' ');
        bytes.push(b'\n');
        self.file.write_all_at(&bytes, 0)?;
        if !self.is_durable {
            self.file.sync_all()?;
            self.is_durable = true;
        }
        Ok(())
    }

    /// The run has ended: nothing is kept of it.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn remove(self) -> Result<(), String> {
        match remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(format!("{} cannot be removed: {error}", self.path.display()))
            }
            _ => Ok(()),
        }
    }
}
