//! Removing names from opened directories. One name an op; only our own state directories are ever removed as a tree.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, fstat, openat, statat, unlinkat};
use rustix::io::Errno;

use super::attributes::verify;
use super::error::{Doing, OsError, Result};
use super::meta::{Expect, FileKind, Meta};
use super::parent::Parent;
use super::safe_path::names;
use crate::failpoint;

/// Removes one name: a file, link or special file, or an empty directory. The removal is durable when this returns.
///
/// # Errors
/// `Changed` if it is not what was expected, or the system's answer (`ENOTEMPTY`, `ENOENT`, …).
pub fn remove(path: &Path, expect: Expect) -> Result<()> {
    let parent = Parent::open(path)?;
    let found = parent.look()?;
    verify(path, found.as_ref(), expect)?;
    let is_dir = found.is_some_and(|meta| meta.kind() == FileKind::Directory);
    let flags = if is_dir { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    failpoint::hit("remove.before").doing("remove", path)?;
    unlinkat(&parent.dir, &parent.name, flags).doing("remove", path)?;
    failpoint::hit("remove.after").doing("sync the directory of", path)?;
    parent.sync()
}

/// Removes a directory of ours with everything in it; nothing if it is not there. Never follows a link, never leaves the file system.
///
/// # Errors
/// The system's answer; `EXDEV` for a mount point within.
pub fn remove_tree(path: &Path) -> Result<()> {
    let parent = Parent::open(path)?;
    let Some(found) = parent.look()? else { return Ok(()) };
    if found.kind() == FileKind::Directory {
        let device = found.identity.dev;
        empty(open_dir(&parent.dir, &parent.name, path)?, device, path)?;
        unlinkat(&parent.dir, &parent.name, AtFlags::REMOVEDIR).doing("remove", path)?;
    } else {
        unlinkat(&parent.dir, &parent.name, AtFlags::empty()).doing("remove", path)?;
    }
    parent.sync()
}

/// Empties a tree level by level with a list of its own, so that a deep tree cannot exhaust the stack.
fn empty(top: OwnedFd, device: u64, path: &Path) -> Result<()> {
    let first = names(&top).doing("list", path)?;
    let mut open = vec![(top, first)];
    while let Some((dir, left)) = open.last_mut() {
        let Some(name) = left.pop() else {
            open.pop();
            if let Some((above, left)) = open.last_mut() {
                let name =
                    left.pop().expect("the name of a directory stays in its parent's list until it is empty");
                unlinkat(above, name, AtFlags::REMOVEDIR).doing("remove from", path)?;
            }
            continue;
        };
        let meta = Meta::from(&statat(&*dir, &name, AtFlags::SYMLINK_NOFOLLOW).doing("look into", path)?);
        if meta.kind() != FileKind::Directory {
            unlinkat(&*dir, &name, AtFlags::empty()).doing("remove from", path)?;
            continue;
        }
        let below = open_dir(&*dir, &name, path)?;
        let actual = Meta::from(&fstat(&below).doing("look into", path)?);
        if actual.identity.dev != device {
            return Err(Errno::XDEV).doing("remove a mount point in", path);
        }
        left.push(name);
        let inside = names(&below).doing("list", path)?;
        open.push((below, inside));
    }
    Ok(())
}

fn open_dir<Fd: AsFd>(dir: Fd, name: &OsStr, path: &Path) -> std::result::Result<OwnedFd, OsError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(dir, name, flags, Mode::empty()).doing("open", path)
}
