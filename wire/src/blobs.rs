//! Where the bytes of stored content come from: the site's files, or the host's own store.

use model::{Digest, Failure};
use std::collections::BTreeMap;
use std::io::Read;

/// A source of bytes by their digest.
pub trait Blobs: Send + Sync {
    /// A reader of the bytes; `Failure::Missing` where they are not here. The caller checks the digest while it reads.
    fn open(&self, digest: &Digest) -> Result<Box<dyn Read>, Failure>;

    /// Says which ones, with their sizes, are about to be opened: a source that is far away may have them sent all at once. What comes
    /// of that is told by `open`.
    fn expect(&self, _soon: &BTreeMap<Digest, u64>) {}
}

/// No bytes at all.
pub struct NoBlobs;

impl Blobs for NoBlobs {
    fn open(&self, digest: &Digest) -> Result<Box<dyn Read>, Failure> {
        Err(Failure::Missing { what: format!("content {digest}") })
    }
}
