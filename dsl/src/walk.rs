//! A directory of the real file system as a tree: names first, then digests on all processors. Holds no bytes of a file longer
//! than it takes to digest them; for [`crate::Disk`] alone.

use crate::loader::LeavesOut;
use model::{Digest, Hasher, Leaf, LeafKind, Run, SourceTree};
use std::fs::{DirEntry, FileType};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most that one directory holds.
const MOST: usize = 1_000_000;
/// Files for which another thread is worth it.
const WORTH_A_THREAD: usize = 64;
/// How many files a thread takes at a time.
const PIECE: usize = 32;
/// Files are read in pieces of so many bytes.
const BUFFER: usize = 64 << 10;

/// What lies in a directory, by the names alone.
#[derive(Default)]
struct Names {
    /// Directories and links.
    leaves: Vec<Leaf>,
    files: Vec<Box<str>>,
}

/// All below `dir`, save what `leaves_out` takes.
pub fn walk(dir: &Path, leaves_out: LeavesOut<'_>) -> Result<Option<SourceTree>, String> {
    match std::fs::metadata(dir) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
        Ok(meta) if !meta.is_dir() => return Err("this is not a directory".to_owned()),
        Ok(_) => {}
    }
    let Names { leaves, files } = names(dir, leaves_out)?;
    let mut all = digested(dir, files)?;
    all.extend(leaves);
    SourceTree::new(all).map(Some)
}

fn names(dir: &Path, leaves_out: LeavesOut<'_>) -> Result<Names, String> {
    let (mut names, mut todo) = (Names::default(), vec![String::new()]);
    while let Some(above) = todo.pop() {
        let at = dir.join(&above);
        let told = |error: std::io::Error| format!("{}: {error}", at.display());
        for entry in std::fs::read_dir(&at).map_err(told)? {
            let entry = entry.map_err(told)?;
            let path = inside(&above, &entry)?;
            if leaves_out(&path) {
                continue;
            }
            let sort = entry.file_type().map_err(told)?;
            if sort.is_dir() {
                todo.push(path.clone());
            }
            names.take(path, sort, &entry)?;
        }
        if names.leaves.len() + names.files.len() > MOST {
            return Err(format!("more than {MOST} files lie in it"));
        }
    }
    names.files.sort_unstable();
    Ok(names)
}

/// The path of an entry from the top.
fn inside(above: &str, entry: &DirEntry) -> Result<String, String> {
    let name = entry.file_name();
    match name.to_str().filter(|name| !name.contains(char::is_control)) {
        Some(name) if above.is_empty() => Ok(name.to_owned()),
        Some(name) => Ok(format!("{above}/{name}")),
        None => Err(format!(
            "{:?} is no clean name: give it one without control characters, in UTF-8",
            entry.path()
        )),
    }
}

impl Names {
    fn take(&mut self, path: String, sort: FileType, entry: &DirEntry) -> Result<(), String> {
        let kind = if sort.is_dir() {
            LeafKind::Directory
        } else if sort.is_symlink() {
            let target = std::fs::read_link(entry.path()).map_err(|error| format!("{path}: {error}"))?;
            let target = target.to_str().filter(|target| !target.contains(char::is_control));
            LeafKind::Symlink {
                target: target.ok_or_else(|| format!("{path} leads to no clean name"))?.into(),
            }
        } else if sort.is_file() {
            self.files.push(path.into());
            return Ok(());
        } else {
            return Err(format!("{path} is neither a file, a directory nor a link"));
        };
        self.leaves.push(Leaf { path: path.into(), kind });
        Ok(())
    }
}

/// The files with their digests, in the same order.
fn digested(dir: &Path, files: Vec<Box<str>>) -> Result<Vec<Leaf>, String> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        let mut reader = Reader { path: dir.to_owned(), buffer: vec![0; BUFFER] };
        loop {
            let from = next.fetch_add(PIECE, Ordering::Relaxed);
            let Some(piece) = files.get(from..files.len().min(from + PIECE)).filter(|it| !it.is_empty())
            else {
                return;
            };
            let kinds: Result<Vec<LeafKind>, String> =
                piece.iter().map(|file| reader.file(dir, file)).collect();
            done.lock().unwrap_or_else(PoisonError::into_inner).push((from, kinds));
        }
    };
    parallel::run(parallel::threads(files.len(), WORTH_A_THREAD), work);
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(from, _)| *from);
    let mut leaves = Vec::with_capacity(files.len());
    let mut files = files.into_iter();
    for (_, kinds) in done {
        leaves.extend(files.by_ref().zip(kinds?).map(|(path, kind)| Leaf { path, kind }));
    }
    Ok(leaves)
}

/// Reads one file after the other into the same buffer.
struct Reader {
    path: PathBuf,
    buffer: Vec<u8>,
}

impl Reader {
    fn file(&mut self, dir: &Path, name: &str) -> Result<LeafKind, String> {
        self.path.clear();
        self.path.push(dir);
        self.path.push(name);
        self.read().map_err(|error| format!("{name}: {error}"))
    }

    fn read(&mut self) -> std::io::Result<LeafKind> {
        let mut file = std::fs::File::open(&self.path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(std::io::Error::other("it is no regular file any more"));
        }
        let run = if may_run(&meta) { Run::Yes } else { Run::No };
        let (mut hasher, mut size) = (None, 0);
        loop {
            let got = match file.read(&mut self.buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                got => got?,
            };
            let piece = self.buffer.get(..got).unwrap_or_default();
            size += got as u64;
            // As long as it was said to be: another read would only tell the end.
            let is_all = got == 0 || (got < BUFFER && size == meta.len());
            if is_all && hasher.is_none() {
                return Ok(LeafKind::File { digest: Digest::of(piece), size, run });
            }
            let mut sum: Hasher = hasher.take().unwrap_or_default();
            sum.update(piece);
            if is_all {
                return Ok(LeafKind::File { digest: sum.finish(), size, run });
            }
            hasher = Some(sum);
        }
    }
}

#[cfg(unix)]
fn may_run(meta: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o100 != 0
}

#[cfg(not(unix))]
fn may_run(_: &std::fs::Metadata) -> bool {
    false
}
