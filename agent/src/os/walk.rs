//! The careful walk to a path, one component at a time, each opened relative to its parent's descriptor and never followed.
//! It decides which symbolic links may be followed: only those that no one but a trusted owner can have put where they are.
//! `safe_path` comes here when the kernel's own no-symlink lookup is missing, or says that there is a link on the way.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, fstat, openat, readlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::error::{Doing, OsError, Result};
use super::meta::{FileKind, Meta};
use super::safe_path::Follow;

/// The kernel's own limit (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// Who may have made a link that we follow: root, and ourselves where we are not root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trust {
    own: u32,
}

impl Trust {
    pub(super) fn of_process() -> Self {
        Self { own: geteuid().as_raw() }
    }

    fn owns(self, node: &Meta) -> bool {
        node.uid == 0 || node.uid == self.own
    }

    /// Whether none but trusted owners can put something into this directory, or take it out.
    pub(super) fn guards(self, dir: &Meta) -> bool {
        self.owns(dir) && dir.mode & 0o022 == 0
    }

    /// Whether none but trusted owners can have put `node` into `dir`. In a sticky directory others can add entries, but not
    /// replace ours; a second name for one of our links could still have been added, hence the count.
    fn placed(self, dir: &Meta, node: &Meta) -> bool {
        let sticky = self.owns(dir) && dir.mode & 0o1000 != 0 && self.owns(node);
        self.guards(dir) || sticky && (node.kind() != FileKind::Symlink || node.links == 1)
    }
}

/// A directory on the way, and whether everything up to it was placed by trusted owners.
struct Level {
    fd: OwnedFd,
    meta: Meta,
    path: PathBuf,
    trusted: bool,
}

/// Walks to `path` and opens it with `O_PATH`. A last component that is a link is opened itself with `Follow::No`.
///
/// # Errors
/// `UntrustedLink`, or the system's answer; `ENOENT` and `ENOTDIR` mean that the path does not exist.
pub(super) fn walk(path: &Path, follow: Follow, trust: Trust) -> Result<OwnedFd> {
    let mut way = vec![root(path)?];
    let mut ahead = backwards(path);
    let mut links = 0;
    while let Some(name) = ahead.pop() {
        if name == ".." {
            if way.len() > 1 {
                way.pop();
            }
            continue;
        }
        let here = way.last().expect("the root is never popped");
        let next = step(here, &name, trust).doing("open", path)?;
        if next.meta.kind() != FileKind::Symlink || (ahead.is_empty() && follow == Follow::No) {
            way.push(next);
            continue;
        }
        if !(next.trusted && trust.owns(&next.meta)) {
            return Err(OsError::UntrustedLink { path: path.to_owned(), link: next.path });
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(Errno::LOOP).doing("open", path);
        }
        let target = readlinkat(&next.fd, "", Vec::new()).doing("read the link", &next.path)?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if target.is_absolute() {
            way.truncate(1);
        }
        ahead.extend(backwards(&target));
    }
    Ok(way.pop().expect("the root is never popped").fd)
}

fn root(path: &Path) -> Result<Level> {
    let fd = openat(CWD, "/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .doing("open", path)?;
    let meta = Meta::from(&fstat(&fd).doing("look at", path)?);
    Ok(Level { fd, meta, path: PathBuf::from("/"), trusted: true })
}

fn step(here: &Level, name: &OsStr, trust: Trust) -> rustix::io::Result<Level> {
    let fd = openat(&here.fd, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let meta = Meta::from(&fstat(&fd)?);
    let trusted = here.trusted && trust.placed(&here.meta, &meta);
    Ok(Level { fd, meta, path: here.path.join(name), trusted })
}

/// The names in a path, last one first, with `..` kept.
fn backwards(path: &Path) -> Vec<OsString> {
    let names =
        path.components().rev().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    names.map(|part| part.as_os_str().to_owned()).collect()
}
