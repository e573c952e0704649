//! The bytes of a file that is to be written, as `atomic_write` wants them: readable from the start as often as it likes.
//!
//! Stored bytes are digested while they pass, so that what is written is what was asked for, or nothing.

use model::{Digest, Failure, Hasher};
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};
use wire::Blobs;

/// Content of a blob store.
pub(super) struct Stored<'a> {
    blobs: &'a dyn Blobs,
    digest: Digest,
    size: u64,
    reader: Box<dyn Read>,
    hasher: Hasher,
    passed: u64,
}

impl<'a> Stored<'a> {
    /// Opens it; the store's own failure where it is not there.
    pub(super) fn open(
        blobs: &'a dyn Blobs,
        digest: Digest,
        size: u64,
    ) -> std::result::Result<Self, Failure> {
        let reader = blobs.open(&digest)?;
        Ok(Self { blobs, digest, size, reader, hasher: Hasher::default(), passed: 0 })
    }
}

impl Read for Stored<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.reader.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.passed += count as u64;
        let is_end = count == 0 && !buffer.is_empty();
        if is_end && (self.passed != self.size || self.hasher.clone().finish() != self.digest) {
            return Err(Error::new(ErrorKind::InvalidData, "the stored content is damaged"));
        }
        Ok(count)
    }
}

impl Seek for Stored<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        match to {
            SeekFrom::Start(0) if self.passed == 0 => Ok(0),
            SeekFrom::Start(0) => {
                let again = Self::open(self.blobs, self.digest, self.size);
                *self = again.map_err(|failure| Error::other(failure.to_string()))?;
                Ok(0)
            }
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Stored;
    use model::{Digest, Failure};
    use std::io::{Cursor, Read, Seek};
    use wire::Blobs;

    struct One(Vec<u8>);

    impl Blobs for One {
        fn open(&self, _: &Digest) -> Result<Box<dyn Read>, Failure> {
            Ok(Box::new(Cursor::new(self.0.clone())))
        }
    }

    fn read_twice(kept: &[u8], wanted: &[u8]) -> std::io::Result<Vec<u8>> {
        let blobs = One(kept.to_vec());
        let mut stored = Stored::open(&blobs, Digest::of(wanted), wanted.len() as u64).unwrap();
        let mut bytes = Vec::new();
        stored.read_to_end(&mut bytes)?;
        stored.rewind()?;
        bytes.clear();
        stored.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn gives_the_bytes_as_often_as_they_are_wanted() {
        assert_eq!(read_twice(b"content", b"content").unwrap(), b"content");
        assert_eq!(read_twice(b"", b"").unwrap(), b"");
    }

    #[test]
    fn damaged_bytes_are_an_error_at_their_end() {
        assert!(read_twice(b"contemt", b"content").is_err());
        assert!(read_twice(b"cont", b"content").is_err());
        assert!(read_twice(b"content and more", b"content").is_err());
    }
}
