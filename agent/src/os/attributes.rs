//! Owner, group and mode of what stands at a path, changed on its descriptor and never through a link.
//! It refuses to hand over a file that may be a second name of some other file (systemd-tmpfiles, CVE-2017-18078).

use std::path::Path;

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid, chmod, chownat, fsync};
use rustix::io::Errno;

use super::error::{Doing, OsError, Result};
use super::meta::{Expect, FileKind, Meta};
use super::parent::Parent;
use super::safe_path::{Follow, Node, open_node, proc_path, reopen};
use crate::failpoint;

/// What to change; `None` leaves a thing as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// The low 12 mode bits. A symbolic link has none of its own.
    pub mode: Option<u32>,
}

/// Changes owner and group first and the mode after that, since a change of owner clears setuid and setgid.
/// Where no mode is given, those bits stay cleared, as the kernel means it.
///
/// # Errors
/// `Changed` if it is not what was expected, `HardLinked`, `WrongKind` for the mode of a link, or the system's answer.
pub fn set_attributes(path: &Path, wanted: Attributes, expect: Expect) -> Result<()> {
    let node = open_node(path, Follow::No)?.ok_or(Errno::NOENT).doing("open", path)?;
    verify(path, Some(&node.meta), expect)?;
    refuse_second_names(path, &node.meta)?;
    failpoint::hit("attributes.before").doing("change the owner of", path)?;
    apply(path, &node, wanted)?;
    sync(path, &node)?;
    failpoint::hit("attributes.after").doing("change the mode of", path)
}

/// Fails if what was found is not what was expected.
pub(super) fn verify(path: &Path, found: Option<&Meta>, expect: Expect) -> Result<()> {
    let detail = match (expect, found) {
        (Expect::Absent, Some(_)) => "there is something now",
        (Expect::Same(_), None) => "there is nothing any more",
        (Expect::Same(wanted), Some(meta)) if meta.identity != wanted => "it is another file now",
        _ => return Ok(()),
    };
    Err(OsError::Changed { path: path.to_owned(), detail })
}

/// Owner, then mode, on the descriptor.
pub(super) fn apply(path: &Path, node: &Node, wanted: Attributes) -> Result<()> {
    if wanted.uid.is_some() || wanted.gid.is_some() {
        let (uid, gid) = (wanted.uid.map(Uid::from_raw), wanted.gid.map(Gid::from_raw));
        chownat(&node.fd, "", uid, gid, AtFlags::EMPTY_PATH).doing("change the owner of", path)?;
    }
    let Some(mode) = wanted.mode else { return Ok(()) };
    if node.meta.kind() == FileKind::Symlink {
        let wanted = FileKind::File;
        return Err(OsError::WrongKind { path: path.to_owned(), found: FileKind::Symlink, wanted });
    }
    // fchmod refuses O_PATH descriptors; this path means the very same object.
    chmod(proc_path(&node.fd), Mode::from_raw_mode(mode)).doing("change the mode of", path)
}

/// Refuses a regular file with several names in a directory where a user could have made one of them.
pub(super) fn refuse_second_names(path: &Path, meta: &Meta) -> Result<()> {
    if meta.kind() != FileKind::File || meta.links < 2 {
        return Ok(());
    }
    if Parent::open(path)?.is_guarded()? {
        return Ok(());
    }
    Err(OsError::HardLinked { path: path.to_owned(), links: meta.links })
}

/// Makes the change durable where the object can be opened for it; the inodes of others go out with their directory.
fn sync(path: &Path, node: &Node) -> Result<()> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = match node.meta.kind() {
        FileKind::File | FileKind::Directory => match reopen(&node.fd, flags) {
            Ok(fd) => fd,
            // Not root, and not readable to us: the change holds, only its moment on the disk is not ours to choose.
            Err(Errno::ACCESS) => return Ok(()),
            Err(errno) => return Err(errno).doing("open", path),
        },
        _ => return Parent::open(path)?.sync(),
    };
    fsync(fd).doing("sync", path)
}
