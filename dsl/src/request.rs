//! What is to be compiled, and what comes out. All that the compiler depends on stands here.

use crate::loader::Loader;
use crate::sealed::Unseal;
use crate::texts::Texts;
use crate::trees::FoundTree;
use model::{Catalog, Diagnostic, Digest, Facts, KindInfo, Retention, Secrets};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where to start.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// One file of resources, without a site.
    File(&'a Path),
    /// A site.
    Site {
        /// The directory that holds `keel.toml`.
        root: &'a Path,
        /// A host of the inventory; `None` for a machine that is in none.
        host: Option<&'a str>,
        /// Roles besides those of the host.
        roles: &'a [String],
    },
}

/// What is to be compiled.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Where to start.
    pub entry: Entry<'a>,
    /// What the host says of itself.
    pub facts: &'a Facts,
    /// `--set key=value`, split at the first `=`.
    pub sets: &'a [(String, String)],
    /// Directories that hold `modules/` and `roles/`, looked through after those of the site.
    pub library: &'a [PathBuf],
    /// The kinds there are.
    pub kinds: &'a [&'a dyn KindInfo],
    /// The one way to files.
    pub loader: &'a dyn Loader,
    /// Who can open the secrets of the site.
    pub unseal: &'a dyn Unseal,
    /// What was parsed for other hosts already.
    pub texts: &'a Texts,
}

/// What came out.
#[derive(Debug)]
pub struct Compiled {
    /// The graph.
    pub catalog: Catalog,
    /// Secret bytes by the names that stand in the catalog. In memory only.
    pub secrets: Secrets,
    /// Files by the digests that stand in the catalog; their bytes are read when they are needed, and checked then.
    pub blobs: BTreeMap<Digest, PathBuf>,
    /// Directories whose files stand in the catalog by their digests as well.
    pub trees: Vec<Arc<FoundTree>>,
    /// What the site calls itself in `keel.toml`.
    pub project: Option<String>,
    /// How long the site's hosts remember their runs, as `keel.toml` has it.
    pub keep: Retention,
    /// What is not wrong, but not good either.
    pub warnings: Vec<Diagnostic>,
}

/// One value that a layer gives to an input.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerValue {
    /// The layer, such as `default`, `role web`, `group prod`, `host web1`, `command line`.
    pub layer: String,
    /// Where it is said.
    pub origin: model::Origin,
    /// The value; `"<secret>"` in place of a secret.
    pub value: serde_json::Value,
    /// True for the one that holds.
    pub wins: bool,
}
