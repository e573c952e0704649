//! The one way by which the compiler reads files. It writes nothing and follows no path that a text made up.

use crate::walk;
use model::{Digest, Hasher, Leaf, LeafKind, Run, SourceTree};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What of a directory is not wanted, by its path from there.
pub type LeavesOut<'a> = &'a dyn Fn(&str) -> bool;

/// Reads files for the compiler.
pub trait Loader {
    /// The bytes of a file; `None` where there is none. Errors in words.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, String>;
    /// Digest and size in bytes of a file, without holding it; `None` where there is none.
    fn digest(&self, path: &Path) -> Result<Option<(Digest, u64)>, String>;
    /// Names of the entries of a directory, sorted; none where there is no such directory.
    fn list(&self, dir: &Path) -> Result<Vec<String>, String>;
    /// All that lies below a directory, without holding it, save what `leaves_out` takes by its path from there, with all that is in
    /// it; `None` where there is no such directory. Links are not followed. Errors in words.
    fn tree(&self, dir: &Path, leaves_out: LeavesOut<'_>) -> Result<Option<SourceTree>, String>;
}

/// Files are digested in pieces of so many bytes.
const PIECE: usize = 64 << 10;

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Disk {
    /// Opens regular files only: a FIFO would block, a device may never end.
    fn open(path: &Path) -> Result<Option<std::fs::File>, String> {
        use std::io::ErrorKind::{NotADirectory, NotFound};
        match std::fs::metadata(path) {
            Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(None),
            Err(error) => return Err(error.to_string()),
            Ok(meta) if !meta.is_file() => return Err("this is not a regular file".to_owned()),
            Ok(_) => {}
        }
        std::fs::File::open(path).map(Some).map_err(|error| error.to_string())
    }
}

impl Loader for Disk {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, String> {
        let Some(mut file) = Self::open(path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        Ok(Some(bytes))
    }

    fn digest(&self, path: &Path) -> Result<Option<(Digest, u64)>, String> {
        let Some(mut file) = Self::open(path)? else { return Ok(None) };
        // No larger than it has to be: most files are small, and there may be thousands of them.
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        let piece = usize::try_from(length).unwrap_or(PIECE).saturating_add(1).min(PIECE);
        let (mut hasher, mut size, mut piece) = (Hasher::default(), 0u64, vec![0u8; piece]);
        loop {
            match file.read(&mut piece).map_err(|error| error.to_string())? {
                0 => return Ok(Some((hasher.finish(), size))),
                got => {
                    hasher.update(piece.get(..got).unwrap_or_default());
                    size += got as u64;
                }
            }
        }
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, String> {
        let entries = match std::fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.to_string()),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.map_err(|error| error.to_string())?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn tree(&self, dir: &Path, leaves_out: LeavesOut<'_>) -> Result<Option<SourceTree>, String> {
        walk::walk(dir, leaves_out)
    }
}

/// Files in memory, for tests and for fuzzing.
#[derive(Clone, Debug, Default)]
pub struct Memory(BTreeMap<PathBuf, Vec<u8>>);

impl Memory {
    /// Adds a file.
    pub fn with(mut self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.into(), bytes.into());
        self
    }
}

impl Loader for Memory {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, String> {
        Ok(self.0.get(path).cloned())
    }

    fn digest(&self, path: &Path) -> Result<Option<(Digest, u64)>, String> {
        Ok(self.0.get(path).map(|bytes| (Digest::of(bytes), bytes.len() as u64)))
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, String> {
        let below = self.0.keys().filter_map(|path| path.strip_prefix(dir).ok());
        let mut names: Vec<String> =
            below.filter_map(|path| Some(path.iter().next()?.to_string_lossy().into_owned())).collect();
        names.dedup();
        Ok(names)
    }

    fn tree(&self, dir: &Path, leaves_out: LeavesOut<'_>) -> Result<Option<SourceTree>, String> {
        let mut leaves = BTreeMap::new();
        for (path, bytes) in &self.0 {
            let Ok(path) = path.strip_prefix(dir) else { continue };
            let kind = LeafKind::File { digest: Digest::of(bytes), size: bytes.len() as u64, run: Run::No };
            let all: Vec<String> = path.ancestors().map(|path| path.to_string_lossy().into_owned()).collect();
            let above = all.iter().skip(1).filter(|path| !path.is_empty());
            if all.iter().any(|path| !path.is_empty() && leaves_out(path)) {
                continue;
            }
            leaves.extend(above.map(|path| (path.clone(), LeafKind::Directory)));
            leaves.insert(path.to_string_lossy().into_owned(), kind);
        }
        let leaves = leaves.into_iter().map(|(path, kind)| Leaf { path: path.into(), kind });
        let tree = SourceTree::new(leaves.collect())?;
        Ok((!tree.leaves().is_empty()).then_some(tree))
    }
}
