//! The contents of a compiled catalog, read from the site's files when they are needed.

use crate::library;
use bundle::Bundle;
use dsl::FoundTree;
use model::{Digest, Failure, LeafKind};
use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use wire::Blobs;

/// Files by the digests that stand in the catalog. Who reads checks the digest.
pub struct SiteBlobs {
    files: BTreeMap<Digest, PathBuf>,
    trees: Vec<Arc<FoundTree>>,
    /// The bundle that all of it is in.
    bundle: Option<Bundle>,
    /// Where in the trees a content is; made when something is first asked for, as most runs ask for nothing.
    inside: OnceLock<HashMap<Digest, (usize, usize)>>,
}

impl SiteBlobs {
    /// Files by their digests, and directories full of them.
    pub fn new(files: BTreeMap<Digest, PathBuf>, trees: Vec<Arc<FoundTree>>) -> Self {
        Self { files, trees, bundle: None, inside: OnceLock::new() }
    }

    /// All of them in a bundle, where there is one.
    pub fn within(self, bundle: Option<Bundle>) -> Self {
        Self { bundle, ..self }
    }

    fn path(&self, digest: &Digest) -> Option<PathBuf> {
        if let Some(path) = self.files.get(digest) {
            return Some(path.clone());
        }
        let (tree, leaf) = self.inside.get_or_init(|| inside(&self.trees)).get(digest)?;
        let tree = self.trees.get(*tree)?;
        Some(tree.path.join(&*tree.tree.leaves().get(*leaf)?.path))
    }
}

fn inside(trees: &[Arc<FoundTree>]) -> HashMap<Digest, (usize, usize)> {
    let mut found = HashMap::new();
    for (tree, one) in trees.iter().enumerate() {
        for (at, leaf) in one.tree.leaves().iter().enumerate() {
            if let LeafKind::File { digest, .. } = leaf.kind {
                found.insert(digest, (tree, at));
            }
        }
    }
    found
}

impl Blobs for SiteBlobs {
    fn open(&self, digest: &Digest) -> Result<Box<dyn Read>, Failure> {
        let path = self.path(digest).ok_or_else(|| Failure::Missing { what: format!("content {digest}") })?;
        if let Some(bundle) = &self.bundle {
            let read = dsl::Loader::read(bundle, &path);
            let bytes = read.map_err(|why| Failure::io("read", path.display(), why))?;
            let missing = || Failure::Missing { what: path.display().to_string() };
            return Ok(Box::new(Cursor::new(bytes.ok_or_else(missing)?)));
        }
        if let Some(bytes) = library::bytes(&path) {
            return Ok(Box::new(Cursor::new(bytes)));
        }
        let file = std::fs::File::open(&path).map_err(|error| Failure::io("open", path.display(), error))?;
        Ok(Box::new(file))
    }
}
