//! Bytes that come from elsewhere and can be read once. They are digested while they pass, so that what is kept is what was
//! wanted, or nothing.

use model::{Digest, Hasher};
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};

/// The content `digest` as it comes.
pub(super) struct Arrival<'a> {
    from: &'a mut dyn Read,
    digest: Digest,
    left: u64,
    hasher: Hasher,
    is_fresh: bool,
}

impl<'a> Arrival<'a> {
    /// `size` bytes of it are to come.
    pub(super) fn new(from: &'a mut dyn Read, digest: Digest, size: u64) -> Self {
        Self { from, digest, left: size, hasher: Hasher::default(), is_fresh: true }
    }

    fn other(&self) -> Error {
        Error::new(ErrorKind::InvalidData, format!("what came is not the content {}", self.digest))
    }
}

impl Read for Arrival<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.is_fresh = false;
        let count = self.from.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| self.other())?;
        let is_end = count == 0 && !buffer.is_empty();
        if is_end && (self.left > 0 || self.hasher.clone().finish() != self.digest) {
            return Err(self.other());
        }
        Ok(count)
    }
}

impl Seek for Arrival<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        match to {
            SeekFrom::Start(0) if self.is_fresh => Ok(0),
            _ => Err(Error::new(ErrorKind::Unsupported, "what came can be read only once")),
        }
    }
}
