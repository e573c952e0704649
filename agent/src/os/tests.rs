//! Tests of the safety core on a real file system, in directories of their own.

use std::ffi::OsStr;
use std::fs;
use std::io::Cursor;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Gid, Mode, RenameFlags, Uid, chownat, mknodat, renameat_with};
use rustix::process::{getegid, geteuid, umask};
use tempfile::TempDir;

use super::atomic_write::{Keep, Target, WhenBusy, Written, atomic_write};
use super::attributes::{Attributes, set_attributes};
use super::error::{OsError, Result};
use super::make::{make_directory, make_symlink};
use super::meta::{Expect, FileKind};
use super::remove::{remove, remove_tree};
use super::safe_path::{Follow, list, look, open_file, read_file, read_link};
use super::walk::{Trust, walk};
use super::xattr;
use crate::failpoint::{Action, When, set_here};

const NOBODY: u32 = 65534;
const EIO: Action = Action::Error(5);
const EBUSY: Action = Action::Error(16);

fn is_root() -> bool {
    geteuid().is_root()
}

/// A user that is not us: only root can give files to somebody else, so others see their own number here.
fn other() -> u32 {
    if is_root() { NOBODY } else { geteuid().as_raw() }
}

/// Gives away a path, itself if it is a link; without root nothing happens.
fn give_away(path: &Path) {
    if is_root() {
        let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
        chownat(CWD, path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }
}

fn set_mode(path: &Path, mode: u32) {
    set_attributes(path, Attributes { mode: Some(mode), ..Attributes::default() }, Expect::Anything).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the tests set the stage with plain calls")]
fn put(path: &Path, content: &str) {
    fs::write(path, content).unwrap();
}

/// A directory tree `dir/real/file` with `dir/link -> real`.
fn linked() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("real")).unwrap();
    put(&dir.path().join("real/file"), "content");
    symlink("real", dir.path().join("link")).unwrap();
    dir
}

fn target<'a>(path: &'a Path, temp_name: &'a OsStr) -> Target<'a> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    let (keep, expect, busy) = (Keep::Existing, Expect::Anything, WhenBusy::Refuse);
    Target { path, temp_name, uid, gid, mode: 0o644, keep, expect, busy }
}

fn write(path: &Path, content: &str) -> Result<Written> {
    atomic_write(&target(path, OsStr::new(".temp")), &mut Cursor::new(content), None)
}

fn names(dir: &Path) -> Vec<PathBuf> {
    list(dir, Follow::No).unwrap().unwrap().into_iter().map(PathBuf::from).collect()
}

fn content(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

mod paths {
    use super::*;

    #[test]
    fn follows_links_that_only_trusted_owners_can_place() {
        let dir = linked();
        let file = read_file(&dir.path().join("link/file"), Follow::No, 100).unwrap().unwrap();
        assert_eq!(file.0, b"content");
        assert_eq!(write(&dir.path().join("link/file"), "new").unwrap(), Written::Atomically);
        assert_eq!(content(&dir.path().join("real/file")), "new");
    }

    #[test]
    fn refuses_a_link_in_a_directory_that_others_can_write() {
        let dir = linked();
        set_mode(dir.path(), 0o777);
        let path = dir.path().join("link/file");
        let link = dir.path().join("link");
        for result in [write(&path, "x").map(|_| ()), look(&path, Follow::No).map(|_| ())] {
            assert!(
                matches!(&result, Err(OsError::UntrustedLink { link: l, .. }) if *l == link),
                "{result:?}"
            );
        }
        assert!(open_file(&path, Follow::No).is_err());
        assert_eq!(content(&dir.path().join("real/file")), "content");
    }

    #[test]
    fn in_a_sticky_directory_trusts_its_own_links_only() {
        let dir = linked();
        set_mode(dir.path(), 0o1777);
        let path = dir.path().join("link/file");
        assert!(look(&path, Follow::No).unwrap().is_some());
        give_away(&dir.path().join("link"));
        let refused = matches!(look(&path, Follow::No), Err(OsError::UntrustedLink { .. }));
        assert_eq!(refused, is_root());
    }

    #[test]
    fn refuses_a_link_below_somebody_elses_directory() {
        let dir = linked();
        fs::create_dir(dir.path().join("home")).unwrap();
        fs::rename(dir.path().join("link"), dir.path().join("home/link")).unwrap();
        give_away(&dir.path().join("home"));
        if !is_root() {
            set_mode(&dir.path().join("home"), 0o777);
        }
        let result = look(&dir.path().join("home/link/x"), Follow::No);
        assert!(matches!(result, Err(OsError::UntrustedLink { .. })), "{result:?}");
    }

    #[test]
    fn the_walk_agrees_with_openat2() {
        let dir = linked();
        let path = dir.path().join("real/file");
        let walked = walk(&path, Follow::No, Trust::of_process()).unwrap();
        let found = look(&path, Follow::No).unwrap().unwrap();
        assert_eq!(super::super::Meta::from(&rustix::fs::fstat(walked).unwrap()), found);
        for missing in ["nothing", "real/file/below", "nothing/below"] {
            let path = dir.path().join(missing);
            assert!(look(&path, Follow::No).unwrap().is_none());
            assert!(walk(&path, Follow::No, Trust::of_process()).is_err());
        }
    }

    #[test]
    fn resolves_dots_in_links_and_stops_at_loops() {
        let dir = linked();
        symlink("../real/../real/./file", dir.path().join("real/up")).unwrap();
        symlink("loop", dir.path().join("loop")).unwrap();
        let meta = look(&dir.path().join("real/up"), Follow::Yes).unwrap().unwrap();
        assert_eq!(meta.size, 7);
        assert_eq!(read_link(&dir.path().join("link")).unwrap(), Some(PathBuf::from("real")));
        let looped = look(&dir.path().join("loop"), Follow::Yes).unwrap_err();
        assert_eq!(looped.errno(), Some(40));
        assert!(matches!(look(Path::new("a/b"), Follow::No), Err(OsError::BadPath { .. })));
        assert!(matches!(look(Path::new("/a/../b"), Follow::No), Err(OsError::BadPath { .. })));
    }

    #[test]
    fn a_fifo_neither_blocks_nor_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        mknodat(CWD, &path, rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
        let result = read_file(&path, Follow::No, 10);
        assert!(matches!(result, Err(OsError::WrongKind { found: FileKind::Fifo, .. })), "{result:?}");
        set_mode(&path, 0o640);
        assert_eq!(look(&path, Follow::No).unwrap().unwrap().mode, 0o640);
    }

    #[test]
    fn reads_no_more_than_the_limit() {
        let dir = linked();
        let path = dir.path().join("real/file");
        assert!(matches!(read_file(&path, Follow::No, 6), Err(OsError::TooLarge { limit: 6, .. })));
        assert!(read_file(&path, Follow::No, 7).unwrap().is_some());
        assert!(read_file(&dir.path().join("none"), Follow::No, 7).unwrap().is_none());
    }

    /// A user swaps a directory for a link to another place as fast as he can, while we write below it.
    #[test]
    fn never_writes_through_a_link_swapped_in() {
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside, link) = (dir.path().join("d"), dir.path().join("out"), dir.path().join("l"));
        fs::create_dir(&inside).unwrap();
        fs::create_dir(&outside).unwrap();
        symlink(&outside, &link).unwrap();
        set_mode(dir.path(), 0o777);
        give_away(&link);
        let until = Instant::now() + Duration::from_secs(2);
        let written = std::thread::scope(|scope| {
            scope.spawn(|| {
                while Instant::now() < until {
                    renameat_with(CWD, &inside, CWD, &link, RenameFlags::EXCHANGE).unwrap();
                }
            });
            std::iter::repeat_with(|| write(&inside.join("file"), "x").is_ok())
                .take_while(|_| Instant::now() < until)
                .filter(|ok| *ok)
                .count()
        });
        assert!(names(&outside).is_empty());
        assert!(written > 0, "the race was never won, so nothing was tested");
    }
}

mod writing {
    use super::*;

    #[test]
    fn sets_owner_mode_and_content_whatever_the_umask() {
        let dir = tempfile::tempdir().unwrap();
        for (mask, mode) in [(0o077, 0o4755), (0o000, 0o640), (0o777, 0o2770)] {
            let path = dir.path().join(format!("file{mode:o}"));
            let old = umask(Mode::from_raw_mode(mask));
            let wanted = Target { mode, uid: other(), ..target(&path, OsStr::new(".temp")) };
            let written = atomic_write(&wanted, &mut Cursor::new("hello"), None);
            umask(old);
            assert_eq!(written.unwrap(), Written::Atomically);
            let meta = fs::metadata(&path).unwrap();
            assert_eq!((meta.mode() & 0o7777, meta.uid()), (mode, other()));
            assert_eq!(content(&path), "hello");
        }
        assert_eq!(names(dir.path()).len(), 3);
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
        let acl =
            [entry(1, 6, none), entry(2, 4, 1), entry(4, 4, none), entry(16, 4, none), entry(32, 0, none)]
                .concat();
        let acl = [&2u32.to_le_bytes()[..], &acl].concat();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        put(&path, "old");
        let file = fs::File::options().write(true).open(&path).unwrap();
        xattr::write(&file, &xattr::Xattrs::from([(xattr::ACCESS_ACL.into(), acl)])).unwrap();
        atomic_write(
            &Target { mode: 0o660, ..target(&path, OsStr::new(".t")) },
            &mut Cursor::new("new"),
            None,
        )
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

    #[test]
    fn writes_in_place_only_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        put(&path, "a longer old content");
        let inode = fs::metadata(&path).unwrap().ino();
        let _point = set_here("write.rename", When::From(1), EBUSY);
        assert!(matches!(write(&path, "new"), Err(OsError::Busy { .. })));
        let wanted = Target { busy: WhenBusy::WriteInPlace, mode: 0o600, ..target(&path, OsStr::new(".t")) };
        assert_eq!(atomic_write(&wanted, &mut Cursor::new("new"), None).unwrap(), Written::InPlace);
        let meta = fs::metadata(&path).unwrap();
        assert_eq!((content(&path), meta.ino(), meta.mode() & 0o7777), ("new".to_owned(), inode, 0o600));
        assert_eq!(names(dir.path()).len(), 1);
    }
}

mod changing {
    use super::*;

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
}
