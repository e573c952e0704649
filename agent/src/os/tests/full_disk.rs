//! A disk that is really full: a small tmpfs. Without the right to mount, the error comes from a failpoint.

use std::path::Path;

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tempfile::TempDir;

use super::stage::{content, names, put, write};
use crate::failpoint::{Action, When, set_here};
use crate::journal;

const ENOSPC: Action = Action::Error(28);

/// A directory on a file system of its own, if we may mount one.
struct SmallDisk {
    dir: TempDir,
    mounted: bool,
}

impl SmallDisk {
    fn new(size: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let size = std::ffi::CString::new(format!("size={size}")).unwrap();
        let mounted = mount("tmpfs", dir.path(), "tmpfs", MountFlags::empty(), size.as_c_str()).is_ok();
        Self { dir, mounted }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Fills what is left.
    fn fill(&self) {
        use std::io::Write;
        let mut file =
            std::fs::File::options().create_new(true).write(true).open(self.path().join("ballast")).unwrap();
        while self.mounted && file.write_all(&[1; 4096]).is_ok() {}
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.mounted {
            unmount(self.dir.path(), UnmountFlags::DETACH).unwrap();
        }
    }
}

#[test]
fn a_write_fails_and_the_old_file_stays() {
    let disk = SmallDisk::new("64k");
    let path = disk.path().join("file");
    put(&path, "old");
    disk.fill();
    let _point = (!disk.mounted).then(|| set_here("write.created", When::From(1), ENOSPC));
    let error = write(&path, &"new".repeat(10_000)).unwrap_err();
    assert_eq!(error.errno(), Some(28), "{error}");
    assert_eq!((content(&path), names(disk.path()).len()), ("old".to_owned(), 2));
}

#[test]
fn a_journal_can_still_be_closed() {
    let disk = SmallDisk::new("5m");
    let path = disk.path().join("journal");
    let mut journal = journal::create(&path, &["first".to_owned()]).unwrap();
    disk.fill();
    let _point = (!disk.mounted).then(|| set_here("journal.reserve", When::From(1), ENOSPC));
    let record = "x".repeat(100_000);
    let error = std::iter::repeat_with(|| journal.append(&record)).take(100).find_map(Result::err).unwrap();
    assert!(error.to_string().contains("No space left"), "{error}");
    (0..9).for_each(|_| journal.append_closing(&record).unwrap());
    let contents = journal::read::<String>(&path).unwrap().unwrap();
    assert_eq!((contents.damage, contents.records.len() > 30), (None, true));
}

#[test]
fn no_journal_is_begun_without_its_space() {
    let disk = SmallDisk::new("2m");
    let _point = (!disk.mounted).then(|| set_here("journal.reserve", When::From(1), ENOSPC));
    let error = journal::create(&disk.path().join("journal"), &[1]).unwrap_err();
    assert_eq!((error.errno(), names(disk.path()).len()), (Some(28), 0));
}
