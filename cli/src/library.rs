//! The standard library of modules and roles, carried in the program itself: one binary is all there is to install.

use crate::vault::{Opening, Vault};
use bundle::Bundle;
use dsl::{Disk, LeavesOut, Loader, Texts};
use include_dir::{Dir, include_dir};
use model::{Digest, Leaf, LeafKind, Run, SourceTree};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

static MODULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../modules");
static ROLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../roles");

/// Where the library seems to be. No real path starts so.
const ROOT: &str = "library:";

/// The directories for `dsl::Request::library`.
pub fn roots() -> Vec<PathBuf> {
    vec![PathBuf::from(ROOT)]
}

/// Bytes of a file of the library; `None` where the path is none of the library's, or names nothing.
pub fn bytes(path: &Path) -> Option<&'static [u8]> {
    let inside = path.strip_prefix(ROOT).ok()?;
    let (dir, rest) = within(inside)?;
    dir.get_file(rest).map(include_dir::File::contents)
}

fn within(inside: &Path) -> Option<(&'static Dir<'static>, &Path)> {
    let modules = inside.strip_prefix("modules").ok().map(|rest| (&MODULES, rest));
    modules.or_else(|| inside.strip_prefix("roles").ok().map(|rest| (&ROLES, rest)))
}

/// The file system, with the library in it. What has been read once is not read again: every host of a push gets the same
/// site, also where somebody saves a file meanwhile.
#[derive(Default)]
pub struct Files {
    read: Kept<Option<Vec<u8>>>,
    digests: Kept<Option<(Digest, u64)>>,
    lists: Kept<Vec<String>>,
    /// What came of parsing them.
    pub texts: Texts,
    /// The bundle in which they are, instead of on this machine.
    pub bundle: Option<Bundle>,
    /// What opens the secrets among them.
    pub vault: Vault,
}

impl Files {
    /// Those of a bundle, which brings the part of the library that it uses.
    pub fn of(bundle: Bundle) -> Self {
        Self { bundle: Some(bundle), ..Self::default() }
    }

    /// What was looked at so far: files, also those that are not there, and directories that were listed.
    #[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
    pub fn looked_at(&self) -> Vec<PathBuf> {
        let mut paths = keys(&self.read);
        paths.extend(keys(&self.digests).into_iter().chain(keys(&self.lists)));
        paths.sort();
        paths.dedup();
        paths
    }

    /// For a verb that brings no values to a host.
    pub fn for_looking(opening: Opening) -> Self {
        Self { vault: Vault::new(opening), ..Self::default() }
    }
}

/// What came of each path.
type Kept<T> = Mutex<BTreeMap<PathBuf, Result<T, String>>>;

#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
fn keys<T>(kept: &Kept<T>) -> Vec<PathBuf> {
    kept.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
}

fn once<T: Clone>(kept: &Kept<T>, path: &Path, get: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.entry(path.to_owned()).or_insert_with(get).clone()
}

impl Loader for Files {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, String> {
        if let Some(bundle) = &self.bundle {
            return Loader::read(bundle, path);
        }
        if path.starts_with(ROOT) {
            return Ok(bytes(path).map(<[u8]>::to_vec));
        }
        once(&self.read, path, || Disk.read(path))
    }

    fn digest(&self, path: &Path) -> Result<Option<(Digest, u64)>, String> {
        if let Some(bundle) = &self.bundle {
            return Loader::digest(bundle, path);
        }
        if !path.starts_with(ROOT) {
            return once(&self.digests, path, || Disk.digest(path));
        }
        Ok(bytes(path).map(|bytes| (Digest::of(bytes), bytes.len() as u64)))
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, String> {
        if let Some(bundle) = &self.bundle {
            return bundle.list(dir);
        }
        let Ok(inside) = dir.strip_prefix(ROOT) else { return once(&self.lists, dir, || Disk.list(dir)) };
        let Some((root, rest)) = within(inside) else { return Ok(Vec::new()) };
        let found = if rest.as_os_str().is_empty() { Some(root) } else { root.get_dir(rest) };
        let entries = found.map(|dir| dir.entries().iter()).into_iter().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.path().file_name()?.to_str().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    /// Kept by the compiler, with what is left out of it.
    fn tree(&self, dir: &Path, leaves_out: LeavesOut<'_>) -> Result<Option<SourceTree>, String> {
        if let Some(bundle) = &self.bundle {
            return bundle.tree(dir, leaves_out);
        }
        let Ok(inside) = dir.strip_prefix(ROOT) else { return Disk.tree(dir, leaves_out) };
        let found = within(inside).and_then(|(root, rest)| root.get_dir(rest));
        let Some(found) = found else { return Ok(None) };
        let mut leaves = Vec::new();
        gather(found, found.path(), leaves_out, &mut leaves);
        SourceTree::new(leaves).map(Some)
    }
}

/// What lies in a directory of the library. What is carried in a program has lost its right to be executed.
fn gather(dir: &Dir<'static>, top: &Path, leaves_out: LeavesOut<'_>, leaves: &mut Vec<Leaf>) {
    for entry in dir.entries() {
        let path = entry.path().strip_prefix(top).unwrap_or(entry.path()).to_string_lossy();
        if leaves_out(&path) {
            continue;
        }
        let kind = match entry.as_file().map(include_dir::File::contents) {
            Some(bytes) => {
                LeafKind::File { digest: Digest::of(bytes), size: bytes.len() as u64, run: Run::No }
            }
            None => LeafKind::Directory,
        };
        leaves.push(Leaf { path: path.into(), kind });
        if let Some(dir) = entry.as_dir() {
            gather(dir, top, leaves_out, leaves);
        }
    }
}
