//! The digests of a stream: SHA-256 is the name of a bundle, and either can be what a signature is over (PROTOCOL.sshsig of OpenSSH).

use model::{Digest, Hasher};
use sha2::Digest as _;
use std::io::{self, Read};

/// Read in pieces of so many bytes.
const PIECE: usize = 64 << 10;

/// Both digests of all bytes, and how many there were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// The name of the bundle.
    pub sha256: Digest,
    /// What `ssh-keygen -Y sign` takes unless told.
    pub sha512: [u8; 64],
    /// Bytes.
    pub size: u64,
}

impl Digests {
    /// Of what is left in `from`, at most `most` bytes of it.
    ///
    /// # Errors
    /// Those of reading.
    pub fn of(mut from: impl Read, most: u64) -> io::Result<Self> {
        let (mut short, mut long, mut size) = (Hasher::default(), sha2::Sha512::new(), 0u64);
        let (mut piece, mut from) = (vec![0u8; PIECE], from.by_ref().take(most));
        loop {
            let got = from.read(&mut piece)?;
            let bytes = piece.get(..got).unwrap_or_default();
            if bytes.is_empty() {
                return Ok(Self { sha256: short.finish(), sha512: long.finalize().into(), size });
            }
            short.update(bytes);
            long.update(bytes);
            size += got as u64;
        }
    }
}
