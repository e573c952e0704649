//! Gives a file another name elsewhere on its file system, durably: what it holds stays as long as either name does.
//! It must not copy: whoever calls does, where this cannot.

use std::fs::File;
use std::path::Path;

use rustix::fs::{AtFlags, fsync, linkat};
use rustix::io::Errno;

use super::error::{Doing, Result};
use super::parent::Parent;

/// Gives `file`, opened from `from`, the name `to` as well. False where it cannot have one there: another file system, or one that knows no
/// second names. A name that is there already stays.
///
/// # Errors
/// `BadPath`, `UntrustedLink`, or the system's answer.
pub fn second_name(file: &File, from: &Path, to: &Path) -> Result<bool> {
    let (old, new) = (Parent::open(from)?, Parent::open(to)?);
    match linkat(&old.dir, &old.name, &new.dir, &new.name, AtFlags::empty()) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(Errno::XDEV | Errno::MLINK | Errno::PERM | Errno::OPNOTSUPP) => return Ok(false),
        Err(errno) => return Err(errno).doing("give a second name to", from),
    }
    fsync(file).doing("sync", from)?;
    new.sync()?;
    Ok(true)
}
