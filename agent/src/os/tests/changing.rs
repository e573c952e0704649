//! Owners, modes, directories, links and removal.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use rustix::process::{getegid, geteuid};

use super::stage::{linked, names, other, put, set_mode};
use crate::os::attributes::{Attributes, apply, set_attributes};
use crate::os::error::OsError;
use crate::os::make::{make_directory, make_symlink};
use crate::os::meta::Expect;
use crate::os::remove::{remove, remove_tree};
use crate::os::safe_path::{Follow, open_node};

#[test]
fn changes_owner_and_mode_and_keeps_setuid() {
    let dir = linked();
    let path = dir.path().join("real/file");
    let wanted = Attributes { uid: Some(other()), gid: Some(getegid().as_raw()), mode: Some(0o4711) };
    set_attributes(&path, wanted, Expect::Anything).unwrap();
    let meta = fs::metadata(&path).unwrap();
    assert_eq!((meta.uid(), meta.mode() & 0o7777), (other(), 0o4711));
    let link = dir.path().join("link");
    let owner = Attributes { uid: Some(other()), ..Attributes::default() };
    set_attributes(&link, owner, Expect::Anything).unwrap();
    assert_eq!(fs::symlink_metadata(&link).unwrap().uid(), other());
    assert!(set_attributes(&link, wanted, Expect::Anything).is_err());
    assert_eq!(fs::metadata(dir.path().join("real")).unwrap().uid(), geteuid().as_raw());
}

#[test]
fn what_was_looked_at_is_changed_whatever_stands_at_its_name_by_then() {
    let dir = linked();
    let (path, moved, outside) =
        (dir.path().join("real/file"), dir.path().join("moved"), dir.path().join("outside"));
    put(&outside, "of root");
    set_mode(&outside, 0o600);
    let node = open_node(&path, Follow::No).unwrap().unwrap();
    fs::rename(&path, &moved).unwrap();
    symlink(&outside, &path).unwrap();
    let wanted = Attributes { uid: Some(other()), gid: None, mode: Some(0o666) };
    apply(&path, &node, wanted).unwrap();
    let looks =
        |path: &Path| fs::symlink_metadata(path).map(|meta| (meta.uid(), meta.mode() & 0o7777)).unwrap();
    assert_eq!((looks(&moved), looks(&outside)), ((other(), 0o666), (geteuid().as_raw(), 0o600)));
}

#[test]
fn refuses_second_names_where_others_can_write() {
    let dir = linked();
    let (path, second) = (dir.path().join("real/file"), dir.path().join("second"));
    fs::hard_link(&path, &second).unwrap();
    let owner = Attributes { uid: Some(other()), ..Attributes::default() };
    set_attributes(&path, owner, Expect::Anything).unwrap();
    set_mode(dir.path(), 0o1777);
    let error = set_attributes(&second, owner, Expect::Anything).unwrap_err();
    assert!(matches!(error, OsError::HardLinked { links: 2, .. }), "{error}");
}

#[test]
fn makes_directories_and_turns_links() {
    let dir = tempfile::tempdir().unwrap();
    let (sub, link) = (dir.path().join("sub"), dir.path().join("link"));
    let wanted = Attributes { uid: Some(other()), gid: None, mode: Some(0o2751) };
    make_directory(&sub, wanted).unwrap();
    assert_eq!(fs::metadata(&sub).unwrap().permissions().mode() & 0o7777, 0o2751);
    assert_eq!(make_directory(&sub, wanted).unwrap_err().errno(), Some(17));
    let temp = OsStr::new(".temp");
    make_symlink(&link, OsStr::new("one"), temp, Attributes::default(), Expect::Absent).unwrap();
    let again = make_symlink(&link, OsStr::new("two"), temp, Attributes::default(), Expect::Absent);
    assert!(matches!(again, Err(OsError::Changed { .. })));
    make_symlink(&link, OsStr::new("two"), temp, Attributes::default(), Expect::Anything).unwrap();
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("two"));
    assert_eq!(names(dir.path()).len(), 2);
}

#[test]
fn removes_one_name_or_a_tree_without_following_links() {
    let dir = linked();
    let outside = tempfile::tempdir().unwrap();
    put(&outside.path().join("precious"), "");
    symlink(outside.path(), dir.path().join("real/out")).unwrap();
    fs::create_dir_all(dir.path().join("real/a/b/c")).unwrap();
    assert_eq!(remove(&dir.path().join("real"), Expect::Anything).unwrap_err().errno(), Some(39));
    remove(&dir.path().join("link"), Expect::Anything).unwrap();
    remove_tree(&dir.path().join("real")).unwrap();
    remove_tree(&dir.path().join("real")).unwrap();
    assert!(names(dir.path()).is_empty());
    assert_eq!(names(outside.path()).len(), 1);
    assert!(
        matches!(remove(&dir.path().join("x"), Expect::Anything), Err(error) if error.errno() == Some(2))
    );
}
