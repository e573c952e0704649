//! Shows staged files at their final places, to one thread and to what it starts: in a mount namespace of its own each directory
//! concerned is covered by an overlay with its changes in memory, and there the very renames are done that are to follow. The
//! machine's own mounts and files are not touched, and all of it is gone with the last process that saw it.
//!
//! It must not decide whether what is seen is good.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use model::Failure;
use rustix::fs::{CWD, Mode, OFlags, mkdir, open, readlinkat, rename, unlink};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind_recursive, unmount};
use rustix::thread::UnshareFlags;

use super::error::show;
use super::mounts::parse;
use super::namespace::{keep_mounts_private, leave, like, overlay};
use super::parent::Parent;
use super::safe_path::proc_path;
use super::swap::Coming;

/// Covered for a moment by the memory that holds the changes, so that nothing has to be made on the machine.
const BASE: &str = "/sys";

/// Runs `look` where everything of `coming` is as it is to be.
///
/// # Errors
/// Those of `look`; `Failure::Refused` where the kernel gives no namespace or no overlay.
pub(super) fn preview<T: Send>(
    coming: &[Coming<'_>],
    look: impl FnOnce() -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    let seen = || {
        cover(coming)?;
        look()
    };
    std::thread::scope(|scope| match scope.spawn(seen).join() {
        Ok(seen) => seen,
        // A panic is a bug: it goes on to the top.
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

fn refused(what: &str, error: &io::Error) -> Failure {
    Failure::refused(
        format!("{what} in which the staged files could be checked: {error}"),
        "in a container, start that with the right to mount (CAP_SYS_ADMIN); or leave out `check` of the service, and give its \
         files `validate`",
    )
}

/// A directory that is to be covered.
struct Covered {
    /// Where it really is.
    at: PathBuf,
    fd: OwnedFd,
}

/// The mounts below a directory, which its overlay would hide.
type Below = Vec<(PathBuf, OwnedFd)>;

fn cover(coming: &[Coming<'_>]) -> Result<(), Failure> {
    leave(UnshareFlags::NEWNS).map_err(|error| refused("the kernel gives no namespace", &error))?;
    keep_mounts_private()?;
    let mut places = Vec::new();
    for one in coming {
        places.push((place(one)?, one));
    }
    let mut covered: Vec<Covered> = Vec::new();
    for (at, _) in &places {
        if !covered.iter().any(|known| known.at == *at) {
            covered.push(Covered { at: at.clone(), fd: opened(at)? });
        }
    }
    // A directory comes after those above it.
    covered.sort_by(|a, b| a.at.cmp(&b.at));
    let below = mounts_below(&covered)?;
    mount("keel-check", BASE, "tmpfs", MountFlags::NODEV, c"mode=0700")
        .map_err(|error| Failure::io("mount memory on", BASE, error))?;
    covered.iter().enumerate().try_for_each(|(number, one)| lay(number, one, &below))?;
    unmount(BASE, UnmountFlags::DETACH).map_err(|error| Failure::io("unmount", BASE, error))?;
    places.iter().try_for_each(|(at, one)| change(at, one))
}

/// The directory of a name, as it is called when no link is on the way.
fn place(coming: &Coming<'_>) -> Result<PathBuf, Failure> {
    let parent = Parent::open(coming.path)?;
    let link = readlinkat(CWD, proc_path(parent.dir.as_fd()), Vec::new())
        .map_err(|error| Failure::io("look at the directory of", show(coming.path), error))?;
    Ok(PathBuf::from(OsString::from_vec(link.into_bytes())))
}

fn opened(path: &Path) -> Result<OwnedFd, Failure> {
    open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| Failure::io("open", show(path), error))
}

fn mounts_below(covered: &[Covered]) -> Result<Below, Failure> {
    const INFO: &str = "/proc/thread-self/mountinfo";
    let info = std::fs::read(INFO).map_err(|error| Failure::io("read", INFO, error))?;
    let is_below = |at: &Path| covered.iter().any(|one| one.at != *at && at.starts_with(&one.at));
    let mut below = Below::new();
    for mount in parse(&info).into_iter().filter(|mount| is_below(&mount.at)) {
        // It takes those below it along.
        if !below.iter().any(|(above, _)| mount.at.starts_with(above)) {
            let fd = opened(&mount.at)?;
            below.push((mount.at, fd));
        }
    }
    Ok(below)
}

/// Covers one directory, and shows again what is mounted below it.
fn lay(number: usize, one: &Covered, below: &Below) -> Result<(), Failure> {
    let place = Path::new(BASE).join(number.to_string());
    let (upper, work) = (place.join("upper"), place.join("work"));
    for path in [&place, &upper, &work] {
        mkdir(path, Mode::RWXU).map_err(|error| Failure::io("make", path.display(), error))?;
    }
    like(&one.at, &upper).map_err(|error| Failure::io("copy the attributes of", show(&one.at), error))?;
    overlay(("keel-check", MountFlags::NODEV), one.fd.as_fd(), (&upper, &work), &one.at)
        .map_err(|error| refused(&format!("the kernel lays no overlay over {}", show(&one.at)), &error))?;
    for (at, fd) in below.iter().filter(|(at, _)| at.starts_with(&one.at)) {
        mount_bind_recursive(proc_path(fd.as_fd()), at)
            .map_err(|error| Failure::io("show again", show(at), error))?;
    }
    Ok(())
}

/// Does in the overlay what is to be done on the machine.
fn change(at: &Path, coming: &Coming<'_>) -> Result<(), Failure> {
    let name = coming.path.file_name().unwrap_or_default();
    let done = match coming.temp {
        Some(temp) => rename(at.join(temp), at.join(name)),
        None => unlink(at.join(name)),
    };
    done.map_err(|error| Failure::io("show the new", show(coming.path), error))
}
