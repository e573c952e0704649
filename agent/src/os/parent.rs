//! The opened directory that holds a name: all changes of names happen relative to it, never by path.
//! `atomic_write`, `make` and `remove` work through this; what the name should become is their business.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{
    AtFlags, Mode, OFlags, RenameFlags, fstat, fsync, linkat, openat, renameat, renameat_with, statat,
    unlinkat,
};
use rustix::io::Errno;

use super::error::{Doing, OsError, Result};
use super::meta::{Expect, Identity, Meta};
use super::safe_path::{checked, find_dir};
use super::walk::Trust;
use crate::turns::Turns;

/// Syncs of directories that are under way, by device and inode.
static SYNCS: Turns<(u64, u64), Errno> = Turns::new();

/// Opens the directories of several names, each of them once.
#[derive(Debug, Default)]
pub struct Parents(BTreeMap<PathBuf, Arc<OwnedFd>>);

impl Parents {
    /// Opens the directory that holds the last component of `path`, unless it has been opened.
    ///
    /// # Errors
    /// As `Parent::open`.
    pub fn open(&mut self, path: &Path) -> Result<Parent> {
        let bad = || OsError::BadPath { path: path.to_owned() };
        let name = checked(path)?.ok_or_else(bad)?.to_owned();
        let above = path.parent().ok_or_else(bad)?;
        let dir = match self.0.get(above) {
            Some(dir) => Arc::clone(dir),
            None => {
                let dir = Arc::new(find_dir(above)?);
                self.0.insert(above.to_owned(), Arc::clone(&dir));
                dir
            }
        };
        Ok(Parent { dir, name, path: path.to_owned() })
    }
}

/// A name, and the directory that holds it.
#[derive(Debug)]
pub struct Parent {
    /// An `O_PATH` descriptor of the directory: good for `*at` calls, not for reading or syncing. Names in one directory may share it.
    pub dir: Arc<OwnedFd>,
    /// The last component.
    pub name: OsString,
    /// The whole path, for messages.
    pub path: PathBuf,
}

impl Parent {
    /// Opens the directory that holds the last component of `path`.
    ///
    /// # Errors
    /// `BadPath`, `UntrustedLink`, or the system's answer, `ENOENT` and `ENOTDIR` included.
    pub fn open(path: &Path) -> Result<Self> {
        Parents::default().open(path)
    }

    /// What stands at the name; `None` if nothing does.
    ///
    /// # Errors
    /// The system's answer.
    pub fn look(&self) -> Result<Option<Meta>> {
        self.look_at(&self.name)
    }

    /// What stands at another name in the same directory.
    pub(crate) fn look_at(&self, name: &OsStr) -> Result<Option<Meta>> {
        match statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Meta::from(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno).doing("look at", &self.path),
        }
    }

    /// Whether none but trusted owners can write to the directory.
    pub(super) fn is_guarded(&self) -> Result<bool> {
        let dir = fstat(&self.dir).doing("look at the directory of", &self.path)?;
        Ok(Trust::of_process().guards(&Meta::from(&dir)))
    }

    /// Makes all changes of names in the directory durable. Those who want that of one directory at once share a sync that
    /// begins after their call.
    ///
    /// # Errors
    /// The system's answer.
    pub fn sync(&self) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = openat(&self.dir, ".", flags, Mode::empty()).doing("open the directory of", &self.path)?;
        let stat = fstat(&dir).doing("look at the directory of", &self.path)?;
        let Identity { dev, ino, .. } = Meta::from(&stat).identity;
        let synced = SYNCS.take((dev, ino), || match fsync(&dir) {
            // fsync(2): "does not support synchronization", as on some network file systems. There is nothing more to do then.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(errno) => Err(errno),
        });
        synced.doing("sync the directory of", &self.path)
    }

    /// Fails unless what was staged under `temp` is still as it was then.
    pub(super) fn require_untouched(&self, temp: &OsStr, staged: &Meta) -> Result<()> {
        if self.look_at(temp)?.as_ref() == Some(staged) {
            return Ok(());
        }
        Err(OsError::Changed { path: self.path.clone(), detail: "its staged new content was touched" })
    }

    /// Renames `temp` in the same directory to the name; with `Expect::Absent`, only if nothing is there.
    pub(crate) fn take_name(&self, temp: &OsStr, expect: Expect) -> Result<()> {
        let (dir, name) = (&self.dir, &self.name);
        let renamed = if expect == Expect::Absent {
            match renameat_with(dir, temp, dir, name, RenameFlags::NOREPLACE) {
                // The file system does not know the flag (renameat2(2)); link and unlink amount to the same.
                Err(Errno::INVAL | Errno::NOSYS) => linkat(dir, temp, dir, name, AtFlags::empty())
                    .and_then(|()| unlinkat(dir, temp, AtFlags::empty())),
                other => other,
            }
        } else {
            renameat(dir, temp, dir, name)
        };
        match renamed {
            Err(Errno::EXIST) if expect == Expect::Absent => {
                Err(OsError::Changed { path: self.path.clone(), detail: "there is something now" })
            }
            Err(Errno::BUSY) => Err(OsError::Busy { path: self.path.clone() }),
            other => other.doing("replace", &self.path),
        }
    }

    /// Removes a temporary name after `cause`, and says so if that fails too.
    pub(crate) fn discard(&self, temp: &OsStr, flags: AtFlags, cause: OsError) -> OsError {
        match unlinkat(&self.dir, temp, flags) {
            Ok(()) | Err(Errno::NOENT) => cause,
            Err(errno) => {
                let temp = self.path.with_file_name(temp);
                OsError::Leftover { temp, source: errno.into(), cause: Box::new(cause) }
            }
        }
    }
}
