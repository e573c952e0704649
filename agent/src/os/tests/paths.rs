//! Which paths are followed, and what is read.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, RenameFlags, fstat, mknodat, renameat_with};

use super::stage::{content, give_away, is_root, linked, names, put, set_mode, write};
use crate::os::atomic_write::Written;
use crate::os::error::OsError;
use crate::os::meta::{FileKind, Meta};
use crate::os::safe_path::{Follow, look, open_file, read_file, read_link};
use crate::os::walk::{Trust, walk};

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
        assert!(matches!(&result, Err(OsError::UntrustedLink { link: l, .. }) if *l == link), "{result:?}");
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

/// The user cannot write to `ours`, but he can move it about, links and all.
#[test]
fn refuses_a_link_in_our_directory_inside_somebody_elses() {
    let dir = linked();
    let ours = dir.path().join("home/ours");
    fs::create_dir_all(&ours).unwrap();
    fs::rename(dir.path().join("link"), ours.join("link")).unwrap();
    assert!(look(&ours.join("link/x"), Follow::No).is_ok());
    set_mode(&dir.path().join("home"), 0o777);
    let result = look(&ours.join("link/x"), Follow::No);
    assert!(matches!(result, Err(OsError::UntrustedLink { .. })), "{result:?}");
}

/// Where the kernel does not protect hard links, anybody can give one of our links a second name.
#[test]
fn refuses_a_second_name_of_our_link_in_a_sticky_directory() {
    let dir = linked();
    fs::hard_link(dir.path().join("link"), dir.path().join("second")).unwrap();
    assert!(look(&dir.path().join("second/file"), Follow::No).unwrap().is_some());
    set_mode(dir.path(), 0o1777);
    let result = look(&dir.path().join("second/file"), Follow::No);
    assert!(matches!(result, Err(OsError::UntrustedLink { .. })), "{result:?}");
}

#[test]
fn the_walk_agrees_with_openat2() {
    let dir = linked();
    let path = dir.path().join("real/file");
    let walked = walk(&path, Follow::No, Trust::of_process()).unwrap();
    let found = look(&path, Follow::No).unwrap().unwrap();
    assert_eq!(Meta::from(&fstat(walked).unwrap()), found);
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
fn a_fifo_neither_blocks_nor_is_read_nor_wakes_its_writer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| fs::File::options().write(true).open(&path));
        std::thread::sleep(Duration::from_millis(50));
        let result = read_file(&path, Follow::No, 10);
        set_mode(&path, 0o640);
        let mode = look(&path, Follow::No).unwrap().unwrap().mode;
        std::thread::sleep(Duration::from_millis(50));
        let woken = writer.is_finished();
        // Open until the writer is: it may not even have begun.
        let both = fs::File::options().read(true).write(true).open(&path);
        writer.join().unwrap().unwrap();
        drop(both);
        assert!(matches!(result, Err(OsError::WrongKind { found: FileKind::Fifo, .. })), "{result:?}");
        assert_eq!((mode, woken), (0o640, false));
    });
}

#[test]
fn reads_no_more_than_the_limit() {
    let dir = linked();
    let path = dir.path().join("real/file");
    assert!(matches!(read_file(&path, Follow::No, 6), Err(OsError::TooLarge { limit: 6, .. })));
    assert!(read_file(&path, Follow::No, 7).unwrap().is_some());
    assert!(read_file(&dir.path().join("none"), Follow::No, 7).unwrap().is_none());
}

/// While a user swaps the directory `d` for a link to `out` as fast as he can, does a thing over and over for two seconds and returns
/// what came of it.
fn raced<T>(dir: &Path, act: impl Fn(&Path) -> T) -> Vec<T> {
    let (inside, link) = (dir.join("d"), dir.join("l"));
    fs::create_dir(&inside).unwrap();
    fs::create_dir(dir.join("out")).unwrap();
    put(&inside.join("file"), "inside");
    put(&dir.join("out/file"), "outside");
    symlink(dir.join("out"), &link).unwrap();
    set_mode(dir, 0o777);
    give_away(&link);
    let until = Instant::now() + Duration::from_secs(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while Instant::now() < until {
                renameat_with(CWD, &inside, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            }
        });
        std::iter::repeat_with(|| act(&inside)).take_while(|_| Instant::now() < until).collect()
    })
}

#[test]
fn never_writes_through_a_link_swapped_in() {
    let dir = tempfile::tempdir().unwrap();
    let written = raced(dir.path(), |inside| write(&inside.join("new"), "x").is_ok());
    assert_eq!(names(&dir.path().join("out")), [PathBuf::from("file")]);
    assert!(written.contains(&true) && written.contains(&false), "the race was not run");
}

/// The same race for kernels without openat2: the walk never arrives outside.
#[test]
fn never_walks_through_a_link_swapped_in() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = raced(dir.path(), |inside| {
        let found = walk(&inside.join("file"), Follow::No, Trust::of_process());
        found.ok().map(|fd| fstat(fd).unwrap().st_size)
    });
    let arrived: BTreeSet<i64> = sizes.into_iter().flatten().collect();
    assert_eq!(arrived, BTreeSet::from([6]), "the length of `inside`, never that of `outside`");
}
