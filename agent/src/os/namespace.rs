//! Namespaces and overlays, for who needs the machine's files otherwise than they are without changing them: the rehearsal, and the
//! check of staged files. What is mounted in a namespace of one's own is gone with the last process in it.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use model::Failure;
use rustix::fs::{Gid, Mode, Uid, chmod, chown};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::thread::UnshareFlags;

/// Leaves the namespaces that `flags` name. Only the calling thread does; those that it starts afterwards follow it.
///
/// # Errors
/// The system's answer: `EPERM` without CAP_SYS_ADMIN.
pub(crate) fn leave(flags: UnshareFlags) -> io::Result<()> {
    #[expect(
        deprecated,
        reason = "the replacement is unsafe for the sake of FILES, which is never asked for here"
    )]
    Ok(rustix::thread::unshare(flags)?)
}

/// Sees to it that nothing which is mounted from here on reaches the namespace that was left.
///
/// # Errors
/// The system's answer.
pub(crate) fn keep_mounts_private() -> Result<(), Failure> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(|error| Failure::io("make private the mounts below", "/", error))
}

/// Gives `path` the owner and mode of `model`.
///
/// # Errors
/// The system's answer.
pub(crate) fn like(model: &Path, path: &Path) -> io::Result<()> {
    let found = std::fs::symlink_metadata(model)?;
    chown(path, Some(Uid::from_raw(found.uid())), Some(Gid::from_raw(found.gid())))?;
    chmod(path, Mode::from_raw_mode(found.mode() & 0o7777))?;
    Ok(())
}

/// Lays an overlay over `lower` at `target`, without the features by which an upper layer refers to a lower one: whatever
/// changes is in the upper one, whole. The paths of upper layer and work directory must need no quoting.
///
/// # Errors
/// The system's answer.
pub(crate) fn overlay(
    (name, flags): (&str, MountFlags),
    lower: BorrowedFd<'_>,
    (upper, work): (&Path, &Path),
    target: &Path,
) -> io::Result<()> {
    // Through a descriptor no path needs quoting, whatever is in it.
    let options = CString::new(format!(
        "lowerdir=/proc/self/fd/{},upperdir={},workdir={},index=off,metacopy=off,redirect_dir=off,xino=off",
        lower.as_raw_fd(),
        upper.display(),
        work.display()
    ))?;
    Ok(mount(name, target, "overlay", flags, options.as_c_str())?)
}
