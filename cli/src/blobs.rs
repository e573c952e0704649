//! The contents of a compiled catalog, read from the site's files when they are needed.

use crate::library;
use model::{Digest, Failure};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::PathBuf;
use wire::Blobs;

/// Files by the digests that stand in the catalog. Who reads checks the digest.
pub struct SiteBlobs(pub BTreeMap<Digest, PathBuf>);

impl Blobs for SiteBlobs {
    fn open(&self, digest: &Digest) -> Result<Box<dyn Read>, Failure> {
        let path =
            self.0.get(digest).ok_or_else(|| Failure::Missing { what: format!("content {digest}") })?;
        if let Some(bytes) = library::bytes(path) {
            return Ok(Box::new(Cursor::new(bytes)));
        }
        let file = std::fs::File::open(path).map_err(|error| Failure::io("open", path.display(), error))?;
        Ok(Box::new(file))
    }
}
