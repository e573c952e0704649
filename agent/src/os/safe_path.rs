//! Opening what a path names without being led astray: no link that a user could have planted is followed, nothing that is not
//! a regular file is opened for reading, and opening never blocks. Callers act on the descriptors that come from here.
//! One `openat2` does it where the kernel has it (5.6) and the path has no links; else `walk` goes component by component.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{
    AtFlags, CWD, Dir, Mode, OFlags, ResolveFlags, fstat, open, openat, openat2, readlinkat, statat,
};
use rustix::io::Errno;

use super::error::{Doing, OsError, Result};
use super::meta::{FileKind, Meta};
use super::walk::{Trust, walk};

/// What to do when the last component of a path is a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// The link itself is meant.
    No,
    /// What it points to is meant, if the link can be trusted.
    Yes,
}

/// An object opened with `O_PATH`: it can be looked at and changed, not read.
#[derive(Debug)]
pub struct Node {
    /// The descriptor.
    pub fd: OwnedFd,
    /// What it was when it was opened.
    pub meta: Meta,
}

/// Opens what stands at `path`; `None` if nothing does.
///
/// # Errors
/// `BadPath`, `UntrustedLink`, or the system's answer, save that a missing path is no error.
pub fn open_node(path: &Path, follow: Follow) -> Result<Option<Node>> {
    checked(path)?;
    absent(find(path, follow))
}

/// The attributes of what stands at `path`; `None` if nothing does.
///
/// # Errors
/// As `open_node`.
pub fn look(path: &Path, follow: Follow) -> Result<Option<Meta>> {
    Ok(open_node(path, follow)?.map(|node| node.meta))
}

/// Where the symbolic link at `path` points to, as written in it; `None` if nothing is there.
///
/// # Errors
/// As `open_node`; `WrongKind` if something else is there.
pub fn read_link(path: &Path) -> Result<Option<PathBuf>> {
    let Some(node) = open_node(path, Follow::No)? else { return Ok(None) };
    require(path, &node.meta, FileKind::Symlink)?;
    let target = readlinkat(&node.fd, "", Vec::new()).doing("read the link", path)?;
    Ok(Some(PathBuf::from(OsString::from_vec(target.into_bytes()))))
}

/// What stands at a path, opened as far as it is safe.
#[derive(Debug)]
pub enum Found {
    /// A regular file, for reading.
    File(File, Meta),
    /// Anything else.
    Other(Node),
}

/// Opens what stands at `path`: a regular file for reading, without blocking, and anything else without side effects on it, so
/// that one call serves a probe whatever is there; `None` if nothing is.
///
/// # Errors
/// As `open_node`.
pub fn open_any(path: &Path, follow: Follow) -> Result<Option<Found>> {
    checked(path)?;
    // Opening a device can rewind a tape or raise a modem line, so look first. To swap a device in between takes root.
    let found = match statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Meta::from(&stat),
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(errno) => return Err(errno).doing("look at", path),
    };
    if found.kind() == FileKind::File
        && let Some(fd) = absent_now(fast(path, READ))?
    {
        return fd.map(|fd| file(path, fd)).transpose();
    }
    let Some(node) = absent(find(path, follow))? else { return Ok(None) };
    if node.meta.kind() != FileKind::File {
        return Ok(Some(Found::Other(node)));
    }
    file(path, reopen(&node.fd, READ).doing("open", path)?).map(Some)
}

/// Opens a regular file for reading; `None` if nothing is there.
///
/// # Errors
/// As `open_node`; `WrongKind` if it is not a regular file.
pub fn open_file(path: &Path, follow: Follow) -> Result<Option<(File, Meta)>> {
    match open_any(path, follow)? {
        None => Ok(None),
        Some(Found::File(file, meta)) => Ok(Some((file, meta))),
        Some(Found::Other(node)) => {
            let (found, wanted) = (node.meta.kind(), FileKind::File);
            Err(OsError::WrongKind { path: path.to_owned(), found, wanted })
        }
    }
}

/// Reads a whole regular file of at most `limit` bytes; `None` if nothing is there.
///
/// # Errors
/// As `open_file`; `TooLarge`.
pub fn read_file(path: &Path, follow: Follow, limit: u64) -> Result<Option<(Vec<u8>, Meta)>> {
    let Some((file, meta)) = open_file(path, follow)? else { return Ok(None) };
    Ok(Some((read_open(path, file, (&meta, limit))?, meta)))
}

/// Reads a whole file of at most `limit` bytes that has just been opened and looked at. One that is as long as it said then needs no further
/// read to find its end; files of /proc and /sys say 0 or 4096 whatever they hold.
///
/// # Errors
/// `TooLarge`, or the system's answer.
pub fn read_open(path: &Path, mut file: File, (meta, limit): (&Meta, u64)) -> Result<Vec<u8>> {
    let room = usize::try_from(meta.size.min(limit)).unwrap_or(0);
    let mut content = Vec::with_capacity(room);
    (&mut file).take(room as u64).read_to_end(&mut content).doing("read", path)?;
    if content.len() as u64 == meta.size && !matches!(meta.size, 0 | PAGE) {
        return Ok(content);
    }
    let rest = limit.saturating_add(1).saturating_sub(content.len() as u64);
    file.take(rest).read_to_end(&mut content).doing("read", path)?;
    if content.len() as u64 > limit {
        return Err(OsError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(content)
}

/// What a file of /sys says of its size.
const PAGE: u64 = 4096;

/// The names in a directory, sorted; `None` if nothing is there.
///
/// # Errors
/// As `open_node`; `WrongKind` if it is not a directory.
pub fn list(path: &Path, follow: Follow) -> Result<Option<Vec<OsString>>> {
    let Some(node) = open_node(path, follow)? else { return Ok(None) };
    require(path, &node.meta, FileKind::Directory)?;
    names(&node.fd).doing("list", path).map(Some)
}

/// The names in an opened directory, sorted, without `.` and `..`.
pub(super) fn names<Fd: AsFd>(dir: Fd) -> rustix::io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    for entry in Dir::new(openat(dir, ".", flags, Mode::empty())?)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    names.sort();
    Ok(names)
}

/// Opens again, with other rights, the very object that an `O_PATH` descriptor stands for.
pub(super) fn reopen<Fd: AsFd>(fd: Fd, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    open(proc_path(fd), (flags - OFlags::NOFOLLOW) | OFlags::CLOEXEC, Mode::empty())
}

/// A path that means exactly the object behind a descriptor (proc_pid_fd(5)).
pub(super) fn proc_path<Fd: AsFd>(fd: Fd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}

/// Fails unless the object is of the wanted type.
pub(crate) fn require(path: &Path, meta: &Meta, wanted: FileKind) -> Result<()> {
    if meta.kind() == wanted {
        return Ok(());
    }
    Err(OsError::WrongKind { path: path.to_owned(), found: meta.kind(), wanted })
}

const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOFOLLOW).union(OFlags::NOCTTY);

fn file(path: &Path, fd: OwnedFd) -> Result<Found> {
    let meta = Meta::from(&fstat(&fd).doing("look at", path)?);
    require(path, &meta, FileKind::File)?;
    Ok(Found::File(File::from(fd), meta))
}

/// The directory with this path, by a descriptor that is good for `*at` calls only.
pub(super) fn find_dir(path: &Path) -> Result<OwnedFd> {
    match fast(path, OFlags::PATH | OFlags::DIRECTORY)? {
        Some(dir) => Ok(dir),
        None => walk(path, Follow::Yes, Trust::of_process()),
    }
}

fn find(path: &Path, follow: Follow) -> Result<Node> {
    if let Some(fd) = fast(path, OFlags::PATH | OFlags::NOFOLLOW)? {
        let meta = Meta::from(&fstat(&fd).doing("look at", path)?);
        if follow == Follow::No || meta.kind() != FileKind::Symlink {
            return Ok(Node { fd, meta });
        }
    }
    let fd = walk(path, follow, Trust::of_process())?;
    let meta = Meta::from(&fstat(&fd).doing("look at", path)?);
    Ok(Node { fd, meta })
}

/// One `openat2` that refuses every link; `None` if the kernel lacks it or there is a link, and the path has to be walked.
fn fast(path: &Path, flags: OFlags) -> Result<Option<OwnedFd>> {
    static WORKS: OnceLock<bool> = OnceLock::new();
    let refuse_links = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let attempt =
        |path: &Path, flags| openat2(CWD, path, flags | OFlags::CLOEXEC, Mode::empty(), refuse_links);
    // ENOSYS from an old kernel, EPERM from a container's filter: both for good.
    if !*WORKS.get_or_init(|| attempt(Path::new("/"), OFlags::PATH).is_ok()) {
        return Ok(None);
    }
    match attempt(path, flags) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::LOOP) => Ok(None),
        Err(errno) => Err(errno).doing("open", path),
    }
}

/// Turns "the path does not exist" from an error into an answer.
fn absent<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// As `absent`, for the answer of `fast`: the outer `None` means that the path has to be walked.
fn absent_now(result: Result<Option<OwnedFd>>) -> Result<Option<Option<OwnedFd>>> {
    match result {
        Ok(fd) => Ok(fd.map(Some)),
        Err(error) if is_absent(&error) => Ok(Some(None)),
        Err(error) => Err(error),
    }
}

fn is_absent(error: &OsError) -> bool {
    let missing = [Errno::NOENT.raw_os_error(), Errno::NOTDIR.raw_os_error()];
    error.errno().is_some_and(|errno| missing.contains(&errno))
}

/// The last component of an absolute path without `.` or `..`; `None` for the root.
pub(super) fn checked(path: &Path) -> Result<Option<&OsStr>> {
    let plain = |part| matches!(part, Component::RootDir | Component::Normal(_));
    if path.is_absolute() && path.components().all(plain) {
        return Ok(path.file_name());
    }
    Err(OsError::BadPath { path: path.to_owned() })
}
