//! Making directories and symbolic links, relative to their opened parent, with owner and mode set before others can use them.
//! Only one directory at a time, never a chain: each is an op of its own.

use std::ffi::OsStr;
use std::path::Path;

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid, chownat, fstat, fsync, mkdirat, openat, symlinkat};

use super::attributes::{Attributes, apply, verify};
use super::error::{Doing, Result};
use super::meta::{Expect, Meta};
use super::parent::Parent;
use super::safe_path::Node;
use crate::failpoint;

/// Makes one directory, which must not exist yet. It is private until owner and mode are set.
///
/// # Errors
/// `EEXIST` if there is anything already, or the system's answer.
pub fn make_directory(path: &Path, attributes: Attributes) -> Result<()> {
    let parent = begin_directory(path)?;
    finish_directory(&parent, attributes)
        .map_err(|cause| parent.discard(&parent.name, AtFlags::REMOVEDIR, cause))
}

/// Makes one directory, which must not exist yet and stays private to this process's user. It is durable when what is put into it
/// next has been synced with it, and after that the parent that is handed back.
///
/// # Errors
/// `EEXIST` if there is anything already, or the system's answer.
pub fn begin_directory(path: &Path) -> Result<Parent> {
    let parent = Parent::open(path)?;
    failpoint::hit("make.before").doing("make", path)?;
    mkdirat(&parent.dir, &parent.name, Mode::RWXU).doing("make", path)?;
    Ok(parent)
}

fn finish_directory(parent: &Parent, attributes: Attributes) -> Result<()> {
    let path = parent.path.as_path();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = openat(&parent.dir, &parent.name, flags, Mode::empty()).doing("open", path)?;
    let meta = Meta::from(&fstat(&fd).doing("look at", path)?);
    let node = Node { fd, meta };
    apply(path, &node, attributes)?;
    fsync(&node.fd).doing("sync", path)?;
    failpoint::hit("make.after").doing("make", path)?;
    parent.sync()
}

/// Makes a symbolic link, or turns the one that is there to another target, in one step; `temp` is a free name in the same directory.
///
/// # Errors
/// `Changed` if what stands there is not what was expected, or the system's answer.
pub fn make_symlink(
    path: &Path,
    target: &OsStr,
    temp: &OsStr,
    owner: Attributes,
    expect: Expect,
) -> Result<()> {
    let parent = Parent::open(path)?;
    stage_symlink(&parent, target, temp, owner)?;
    place_symlink(&parent, temp, expect).map_err(|cause| parent.discard(temp, AtFlags::empty(), cause))?;
    parent.sync()
}

/// Makes the link under its temporary name. Nothing is left of it after an error.
pub(super) fn stage_symlink(parent: &Parent, target: &OsStr, temp: &OsStr, owner: Attributes) -> Result<()> {
    let path = parent.path.as_path();
    symlinkat(target, &parent.dir, temp).doing("make a link beside", path)?;
    let (uid, gid) = (owner.uid.map(Uid::from_raw), owner.gid.map(Gid::from_raw));
    let owned = failpoint::hit("link.created").doing("make a link beside", path).and_then(|()| {
        if uid.is_none() && gid.is_none() {
            return Ok(());
        }
        chownat(&parent.dir, temp, uid, gid, AtFlags::SYMLINK_NOFOLLOW).doing("change the owner of", path)
    });
    owned.map_err(|cause| parent.discard(temp, AtFlags::empty(), cause))
}

fn place_symlink(parent: &Parent, temp: &OsStr, expect: Expect) -> Result<()> {
    let path = parent.path.as_path();
    verify(path, parent.look()?.as_ref(), expect)?;
    failpoint::hit("link.rename").doing("rename a link to", path)?;
    parent.take_name(temp, expect)
}
