//! Writing files: the result, what is kept, and that an error leaves the old file alone.

use std::ffi::OsStr;
use std::fs;
use std::io::Cursor;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::mount::{UnmountFlags, mount_bind, unmount};

use super::crash;
use super::stage::{content, names, other, put, target, write};
use crate::failpoint::{Action, When, set_here};
use crate::os::atomic_write::{Keep, Target, WhenBusy, Written, atomic_write};
use crate::os::error::OsError;
use crate::os::meta::Expect;
use crate::os::safe_path::{Follow, look};
use crate::os::xattr;

const EIO: Action = Action::Error(5);
const EBUSY: Action = Action::Error(16);

#[test]
fn sets_owner_mode_and_content_whatever_the_umask() {
    for mask in [0o077, 0o000, 0o777] {
        let dir = tempfile::tempdir().unwrap();
        let mut child = crash::again("os::tests::writing::writes_three_files", dir.path());
        child.umask = mask;
        child.run().unwrap().success().unwrap();
        for mode in [0o4755, 0o640, 0o2770] {
            let path = dir.path().join(format!("{mode:o}"));
            let meta = fs::metadata(&path).unwrap();
            assert_eq!((meta.mode() & 0o7777, meta.uid()), (mode, other()), "umask {mask:o}");
            assert_eq!(content(&path), "hello");
        }
        assert_eq!(names(dir.path()).len(), 3);
    }
}

/// The other side of the test above, in a process of its own since the umask belongs to the whole process.
#[test]
fn writes_three_files() {
    let Some(dir) = crash::stage_of_child() else { return };
    for mode in [0o4755, 0o640, 0o2770] {
        let path = dir.join(format!("{mode:o}"));
        let wanted = Target { mode, uid: other(), ..target(&path, OsStr::new(".temp")) };
        atomic_write(&wanted, &mut Cursor::new("hello"), None).unwrap();
    }
}

#[test]
fn keeps_extended_attributes_or_brings_back_given_ones() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    put(&path, "old");
    let file = fs::File::options().write(true).open(&path).unwrap();
    let attributes = xattr::Xattrs::from([("user.test".into(), b"value".to_vec())]);
    xattr::write(&file, &attributes).unwrap();
    write(&path, "new").unwrap();
    assert_eq!(xattr::read(&fs::File::open(&path).unwrap()).unwrap(), attributes);
    let none = xattr::Xattrs::new();
    let bare = Target { keep: Keep::These(&none), ..target(&path, OsStr::new(".temp")) };
    atomic_write(&bare, &mut Cursor::new("bare"), None).unwrap();
    assert_eq!(xattr::read(&fs::File::open(&path).unwrap()).unwrap(), none);
}

#[test]
fn keeps_an_acl_under_the_exact_mode() {
    // acl(5): version 2; user::rw-, user:1:r--, group::r--, mask::r--, other::---
    let entry = |tag: u16, perm: u16, id: u32| {
        [&tag.to_le_bytes()[..], &perm.to_le_bytes(), &id.to_le_bytes()].concat()
    };
    let none = u32::MAX;
    let acl = [entry(1, 6, none), entry(2, 4, 1), entry(4, 4, none), entry(16, 4, none), entry(32, 0, none)]
        .concat();
    let acl = [&2u32.to_le_bytes()[..], &acl].concat();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    put(&path, "old");
    let file = fs::File::options().write(true).open(&path).unwrap();
    xattr::write(&file, &xattr::Xattrs::from([(xattr::ACCESS_ACL.into(), acl)])).unwrap();
    atomic_write(&Target { mode: 0o660, ..target(&path, OsStr::new(".t")) }, &mut Cursor::new("new"), None)
        .unwrap();
    let kept = xattr::read(&fs::File::open(&path).unwrap()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o660);
    assert_eq!(kept[OsStr::new(xattr::ACCESS_ACL)][12..20], entry(2, 4, 1));
}

#[test]
fn an_error_at_any_step_leaves_the_old_file_and_no_temp() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    put(&path, "old");
    for step in ["create", "created", "written", "fsync", "synced", "rename"] {
        let _point = set_here(&format!("write.{step}"), When::From(1), EIO);
        let error = write(&path, "new").unwrap_err();
        assert_eq!(error.errno(), Some(5), "{step}: {error}");
        assert_eq!((content(&path), names(dir.path()).len()), ("old".to_owned(), 1), "{step}");
    }
}

#[test]
fn a_failed_fsync_is_answered_by_writing_another_file_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let _point = set_here("write.fsync", When::Nth(1), EIO);
    let _made = set_here("write.create", When::Nth(3), EIO);
    write(&path, "new").unwrap();
    assert_eq!(content(&path), "new");
    write(&path, "new").expect_err("the third file was made, after two for the first write");
}

#[test]
fn refuses_when_the_target_is_not_what_was_planned() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    put(&path, "old");
    let identity = look(&path, Follow::No).unwrap().unwrap().identity;
    let same = Target { expect: Expect::Same(identity), ..target(&path, OsStr::new(".t")) };
    let absent = Target { expect: Expect::Absent, ..same };
    let error = atomic_write(&absent, &mut Cursor::new("new"), None).unwrap_err();
    assert!(matches!(error, OsError::Changed { .. }), "{error}");
    let mut replace = |_: &Path| {
        put(&dir.path().join("other"), "theirs");
        fs::rename(dir.path().join("other"), &path).unwrap();
        Ok(())
    };
    let error = atomic_write(&same, &mut Cursor::new("new"), Some(&mut replace)).unwrap_err();
    assert!(matches!(error, OsError::Changed { .. }), "{error}");
    assert_eq!((content(&path), names(dir.path()).len()), ("theirs".to_owned(), 1));
}

#[test]
fn the_validator_sees_the_final_file_and_can_reject_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let wanted = Target { expect: Expect::Absent, mode: 0o444, ..target(&path, OsStr::new(".t")) };
    let mut seen = None;
    let mut reject = |staged: &Path| {
        seen = Some((content(staged), fs::metadata(staged).unwrap().mode() & 0o7777));
        Err(model::Failure::refused("bad syntax", "fix it"))
    };
    let error = atomic_write(&wanted, &mut Cursor::new("new"), Some(&mut reject)).unwrap_err();
    assert_eq!(model::Failure::from(error), model::Failure::refused("bad syntax", "fix it"));
    assert_eq!(seen, Some(("new".to_owned(), 0o444)));
    assert!(names(dir.path()).is_empty());
    atomic_write(&wanted, &mut Cursor::new("new"), Some(&mut |_| Ok(()))).unwrap();
    assert_eq!(content(&path), "new");
}

/// The file is a mount point, as /etc/hosts is in a container; without the right to mount, a failpoint says so.
#[test]
fn writes_in_place_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    put(&path, "a longer old content");
    let inode = fs::metadata(&path).unwrap().ino();
    let bound = mount_bind(&path, &path).is_ok();
    let _point = (!bound).then(|| set_here("write.rename", When::From(1), EBUSY));
    let refused = write(&path, "new");
    let wanted = Target { busy: WhenBusy::WriteInPlace, mode: 0o600, ..target(&path, OsStr::new(".t")) };
    let written = atomic_write(&wanted, &mut Cursor::new("new"), None);
    if bound {
        unmount(&path, UnmountFlags::DETACH).unwrap();
    }
    assert!(matches!(refused, Err(OsError::Busy { .. })), "{refused:?}");
    assert_eq!(written.unwrap(), Written::InPlace);
    let meta = fs::metadata(&path).unwrap();
    assert_eq!((content(&path), meta.ino(), meta.mode() & 0o7777), ("new".to_owned(), inode, 0o600));
    assert_eq!(names(dir.path()).len(), 1);
}
