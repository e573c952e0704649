//! What the tests have in common: setting the stage with plain calls, and looking at it afterwards.

use std::ffi::OsStr;
use std::fs;
use std::io::Cursor;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Gid, Uid, chownat};
use rustix::process::{getegid, geteuid};
use tempfile::TempDir;

use crate::os::atomic_write::{Keep, Target, WhenBusy, Written, atomic_write};
use crate::os::attributes::{Attributes, set_attributes};
use crate::os::error::Result;
use crate::os::meta::Expect;
use crate::os::safe_path::{Follow, list};

pub(super) const NOBODY: u32 = 65534;

pub(super) fn is_root() -> bool {
    geteuid().is_root()
}

/// A user that is not us: only root can give files to somebody else, so others see their own number here.
pub(super) fn other() -> u32 {
    if is_root() { NOBODY } else { geteuid().as_raw() }
}

/// Gives away a path, itself if it is a link; without root nothing happens.
pub(super) fn give_away(path: &Path) {
    if is_root() {
        let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
        chownat(CWD, path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }
}

pub(super) fn set_mode(path: &Path, mode: u32) {
    set_attributes(path, Attributes { mode: Some(mode), ..Attributes::default() }, Expect::Anything).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the tests set the stage with plain calls")]
pub(super) fn put(path: &Path, content: &str) {
    fs::write(path, content).unwrap();
}

/// A directory tree `dir/real/file` with `dir/link -> real`.
pub(super) fn linked() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("real")).unwrap();
    put(&dir.path().join("real/file"), "content");
    symlink("real", dir.path().join("link")).unwrap();
    dir
}

pub(super) fn target<'a>(path: &'a Path, temp_name: &'a OsStr) -> Target<'a> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    let (keep, expect, busy) = (Keep::Existing, Expect::Anything, WhenBusy::Refuse);
    Target { path, temp_name, uid, gid, mode: 0o644, keep, expect, busy }
}

pub(super) fn write(path: &Path, content: &str) -> Result<Written> {
    atomic_write(&target(path, OsStr::new(".temp")), &mut Cursor::new(content), None)
}

pub(super) fn names(dir: &Path) -> Vec<PathBuf> {
    list(dir, Follow::No).unwrap().unwrap().into_iter().map(PathBuf::from).collect()
}

pub(super) fn content(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
