//! Death in the middle: the test binary starts itself again, with a failpoint that kills it, and looks at what is left.

use std::ffi::{OsStr, OsString};
use std::io::Cursor;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use super::stage::{content, names, put, target};
use crate::failpoint;
use crate::journal;
use crate::os::atomic_write::{Target, atomic_write};
use crate::os::child::Child;
use crate::os::lock::{Attempt, Holder, try_lock};
use crate::os::meta::Expect;
use crate::os::remove::remove;
use crate::os::safe_path::{Follow, look};
use crate::os::swap::Swap;

const STAGE: &str = "KEEL_TEST_STAGE";

/// This test binary, running only the test `name`, which finds `dir` by `stage_of_child`.
pub(super) fn again(name: &str, dir: &Path) -> Child {
    let program = std::env::current_exe().unwrap();
    let mut child = Child::new([program.as_os_str(), OsStr::new("--exact"), OsStr::new(name)]);
    child.env.insert(STAGE.into(), dir.into());
    child
}

/// The directory given by `again`; `None` if the test was started as any other. Sets the failpoint, if there is one.
pub(super) fn stage_of_child() -> Option<PathBuf> {
    let dir = std::env::var_os(STAGE)?;
    if let Ok(spec) = std::env::var("KEEL_FAILPOINT") {
        failpoint::from_spec(&spec).unwrap();
    }
    Some(dir.into())
}

/// Runs the test `name` until the failpoint kills it; false if it came through.
fn dies(name: &str, dir: &Path, failpoint: &str) -> bool {
    let mut child = again(name, dir);
    child.env.insert("KEEL_FAILPOINT".into(), format!("{failpoint}:crash").into());
    let output = child.run().unwrap();
    assert!(output.status.success() || output.status.signal() == Some(9), "{}", output.failure());
    !output.status.success()
}

#[test]
fn a_write_that_dies_leaves_the_old_or_the_new_file() {
    for step in ["create", "created", "written", "fsync", "synced", "rename", "renamed", "done"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        put(&path, "old");
        assert!(dies("os::tests::crash::writes", dir.path(), &format!("write.{step}=1")), "{step}");
        let new = ["renamed", "done"].contains(&step);
        assert_eq!(content(&path), if new { "new" } else { "old" }, "{step}");
        let staged = dir.path().join(".file.keel-1-1");
        let left = !new && step != "create";
        assert_eq!(names(dir.path()).len(), if left { 2 } else { 1 }, "{step}");
        assert_eq!(remove(&staged, Expect::Anything).is_ok(), left, "{step}");
        assert!(!dies("os::tests::crash::writes", dir.path(), "none=1"));
        assert_eq!((content(&path), names(dir.path()).len()), ("new".to_owned(), 1));
    }
}

#[test]
fn a_swap_that_dies_leaves_each_name_old_or_new_and_the_next_one_gets_there() {
    for (step, new) in [("staged=1", 0), ("place=1", 0), ("place=2", 1), ("placed=1", 2), ("sync=1", 2)] {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| dir.path().join(name));
        paths.iter().for_each(|path| put(path, "old"));
        assert!(dies("os::tests::crash::swaps", dir.path(), &format!("swap.{step}")), "{step}");
        let contents = paths.each_ref().map(|path| content(path));
        assert!(contents.iter().all(|text| text == "old" || text == "new"), "{step}: {contents:?}");
        assert_eq!(contents.iter().filter(|text| *text == "new").count(), new, "{step}");
        for name in names(dir.path()).iter().filter(|name| name.to_string_lossy().starts_with('.')) {
            remove(&dir.path().join(name), Expect::Anything).unwrap();
        }
        assert!(!dies("os::tests::crash::swaps", dir.path(), "none=1"));
        assert_eq!(paths.each_ref().map(|path| content(path)), ["new", "new"]);
        assert_eq!(names(dir.path()).len(), 2, "{step}");
    }
}

#[test]
fn swaps() {
    let Some(dir) = stage_of_child() else { return };
    let mut swap = Swap::default();
    for name in ["a", "b"] {
        let (path, temp) = (dir.join(name), OsString::from(format!(".{name}.keel-1-1")));
        let identity = look(&path, Follow::No).unwrap().unwrap().identity;
        let wanted = Target { expect: Expect::Same(identity), ..target(&path, &temp) };
        let old = OsString::from(format!(".{name}.keel-1-1-old"));
        swap.file(&wanted, old, (&mut Cursor::new("new"), None)).unwrap();
    }
    swap.place().unwrap();
    swap.finish().unwrap();
}

#[test]
fn writes() {
    let Some(dir) = stage_of_child() else { return };
    let path = dir.join("file");
    let wanted = Target { mode: 0o600, ..target(&path, OsStr::new(".file.keel-1-1")) };
    atomic_write(&wanted, &mut Cursor::new("new"), None).unwrap();
}

#[test]
fn a_journal_that_dies_keeps_what_was_acknowledged() {
    let points = ["create", "reserve", "fill", "created"].map(|step| (step, 1, None));
    let appends = (1..=3).flat_map(|nth| ["append", "sync", "appended"].map(|step| (step, nth, Some(nth))));
    for (step, nth, appended) in points.into_iter().chain(appends) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        assert!(dies("os::tests::crash::keeps_a_journal", dir.path(), &format!("journal.{step}={nth}")));
        let contents = journal::read::<u32>(&path).unwrap();
        let records = contents.map_or(0, |contents| {
            assert_eq!((contents.records.first(), contents.damage), (Some(&100), None));
            contents.records.len() - 2
        });
        let acknowledged = appended.map_or(0, |nth| if step == "appended" { nth } else { nth - 1 });
        assert!((acknowledged..=acknowledged + 1).contains(&records), "{step} {nth}: {records}");
        assert_eq!(path.exists(), appended.is_some() || step == "created", "{step}");
    }
}

#[test]
fn keeps_a_journal() {
    let Some(dir) = stage_of_child() else { return };
    let mut journal = journal::create(&dir.join("journal"), &[100, 101]).unwrap();
    (0..3).for_each(|record| journal.append(&record).unwrap());
}

#[test]
fn a_dead_holder_holds_no_lock_even_if_its_children_live() {
    let dir = tempfile::tempdir().unwrap();
    assert!(dies("os::tests::crash::holds_a_lock", dir.path(), "test.locked=1"));
    let Attempt::Taken(_) = try_lock(&dir.path().join("lock"), &holder()).unwrap() else {
        panic!("still held")
    };
}

#[test]
fn holds_a_lock() {
    let Some(dir) = stage_of_child() else { return };
    let Attempt::Taken(_lock) = try_lock(&dir.join("lock"), &holder()).unwrap() else { panic!("it is free") };
    Child::new(["sh", "-c", "setsid sleep 3 &"]).run().unwrap();
    failpoint::hit("test.locked").unwrap();
}

fn holder() -> Holder {
    let since = "2026-01-01T00:00:00Z".to_owned();
    Holder { pid: std::process::id(), run: "1".to_owned(), since, command: "apply".to_owned() }
}
