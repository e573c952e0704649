//! inotify(7): what happens to the names of directories. A directory that is not there is none to watch: the one above it is, for
//! its name. What could not be watched is told, and never taken for quiet.

use crate::interest::Change;
use model::Failure;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init, remove_watch};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The watched directories.
pub struct Files {
    /// `None` where the kernel gave none: it is asked again whenever something is to be watched.
    fd: Option<OwnedFd>,
    /// The directories of a watch: by links, one may have several names.
    names: BTreeMap<i32, BTreeSet<PathBuf>>,
    watches: BTreeMap<PathBuf, i32>,
    /// What should be watched and is not, and why.
    pub unwatched: BTreeMap<PathBuf, String>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// To a name in a directory.
    Name(PathBuf, OsString, Change),
    /// To a directory itself: it was moved, removed, or its file system is gone.
    Gone(PathBuf),
    /// So much that the kernel could not tell all of it.
    Everything,
}

impl Files {
    /// Nothing is watched yet.
    pub fn new() -> Self {
        let (fd, names, watches, unwatched) = Default::default();
        Self { fd, names, watches, unwatched }
    }

    /// What becomes readable when something has happened.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    /// How many directories are watched.
    pub fn count(&self) -> usize {
        self.watches.len()
    }

    /// Watches these, anew where they were watched already: another directory may stand there now. Where it is the same, nothing that happens
    /// meanwhile is lost.
    pub fn watch<'a>(&mut self, dirs: impl Iterator<Item = &'a Path>) {
        if self.fd.is_none() {
            match init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK) {
                Ok(fd) => self.fd = Some(fd),
                Err(error) => drop(self.unwatched.insert(PathBuf::from("/"), reason(error))),
            }
        }
        for dir in dirs {
            let Some(fd) = &self.fd else { continue };
            self.unwatched.remove(dir);
            let added = add_watch(fd, dir, flags());
            // What is queued of a watch that is taken away says nothing any more.
            if self.watches.get(dir).is_some_and(|before| added != Ok(*before)) {
                self.forget(dir);
            }
            match added {
                Ok(watch) => {
                    self.names.entry(watch).or_default().insert(dir.to_owned());
                    self.watches.insert(dir.to_owned(), watch);
                }
                // It comes to be watched when it comes to be: its name is waited for.
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(error) => drop(self.unwatched.insert(dir.to_owned(), reason(error))),
            }
        }
    }

    /// Stops watching all but these.
    pub fn keep(&mut self, dirs: &BTreeSet<&Path>) {
        let gone: Vec<PathBuf> =
            self.watches.keys().filter(|dir| !dirs.contains(dir.as_path())).cloned().collect();
        gone.iter().for_each(|dir| self.forget(dir));
        self.unwatched.retain(|dir, _| dirs.contains(dir.as_path()));
    }

    fn forget(&mut self, dir: &Path) {
        let Some(watch) = self.watches.remove(dir) else { return };
        if let Some(names) = self.names.get_mut(&watch) {
            names.remove(dir);
            if names.is_empty() {
                self.names.remove(&watch);
                // It may be gone with its directory.
                self.fd.as_ref().and_then(|fd| remove_watch(fd, watch).ok());
            }
        }
    }

    /// All that has happened since.
    ///
    /// # Errors
    /// It cannot be told.
    pub fn happened(&mut self) -> Result<Vec<Happened>, Failure> {
        let mut buffer = [MaybeUninit::uninit(); 16 << 10];
        let (mut found, mut gone) = (Vec::new(), Vec::new());
        let Some(fd) = &self.fd else { return Ok(found) };
        let mut reader = Reader::new(fd, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::WOULDBLOCK) => break,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(Failure::io("hear of", "the file system", error)),
            };
            let (flags, names) = (event.events(), self.names.get(&event.wd()));
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                found.push(Happened::Everything);
            }
            for dir in names.into_iter().flatten() {
                match event.file_name() {
                    Some(name) => {
                        let name = OsStr::from_bytes(name.to_bytes()).to_owned();
                        let told = Happened::Name(dir.clone(), name, change(flags));
                        if found.last() != Some(&told) {
                            found.push(told);
                        }
                    }
                    None if flags.intersects(ReadFlags::ATTRIB) => {}
                    None => gone.push(dir.clone()),
                }
            }
        }
        for dir in gone {
            self.forget(&dir);
            found.push(Happened::Gone(dir));
        }
        Ok(found)
    }
}

fn flags() -> WatchFlags {
    WatchFlags::ATTRIB
        | WatchFlags::CLOSE_WRITE
        | WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::MOVED_FROM
        | WatchFlags::MOVED_TO
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF
        | WatchFlags::ONLYDIR
}

fn change(flags: ReadFlags) -> Change {
    let names = ReadFlags::CREATE | ReadFlags::DELETE | ReadFlags::MOVED_FROM | ReadFlags::MOVED_TO;
    if flags.intersects(names) { Change::Name } else { Change::Within }
}

fn reason(error: Errno) -> String {
    match error {
        Errno::NOSPC => "the kernel watches no more: raise fs.inotify.max_user_watches".to_owned(),
        Errno::MFILE => "the kernel watches for nobody more: raise fs.inotify.max_user_instances".to_owned(),
        error => std::io::Error::from(error).to_string(),
    }
}

#[expect(clippy::disallowed_methods, reason = "prepares scratch files")]
#[cfg(test)]
mod tests {
    use super::{Files, Happened};
    use crate::interest::Change;
    use std::path::Path;

    fn watching(dir: &Path) -> Files {
        let mut files = Files::new();
        files.watch([dir].into_iter());
        files
    }

    #[test]
    fn what_happens_to_a_name_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        let mut files = watching(dir.path());
        assert_eq!(files.happened().unwrap(), []);
        let name = |name: &str, change| Happened::Name(dir.path().to_owned(), name.into(), change);
        std::fs::write(&a, "x").unwrap();
        assert_eq!(files.happened().unwrap(), [name("a", Change::Name), name("a", Change::Within)]);
        std::fs::rename(&a, &b).unwrap();
        assert_eq!(files.happened().unwrap(), [name("a", Change::Name), name("b", Change::Name)]);
        std::fs::File::open(&b).unwrap();
        assert_eq!(files.happened().unwrap(), [], "who only reads changes nothing");
        std::fs::remove_file(&b).unwrap();
        assert_eq!(files.happened().unwrap(), [name("b", Change::Name)]);
    }

    #[test]
    fn what_happens_before_it_is_watched_anew_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = watching(dir.path());
        std::fs::create_dir(dir.path().join("a")).unwrap();
        files.watch([dir.path()].into_iter());
        let told = Happened::Name(dir.path().to_owned(), "a".into(), Change::Name);
        assert_eq!((files.happened().unwrap(), files.count()), (vec![told], 1));
    }

    #[test]
    fn another_directory_in_its_place_is_watched_anew() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let mut files = watching(&inner);
        std::fs::rename(&inner, dir.path().join("away")).unwrap();
        std::fs::create_dir(&inner).unwrap();
        assert_eq!(files.happened().unwrap(), [Happened::Gone(inner.clone())]);
        assert_eq!(files.count(), 0);
        files.watch([inner.as_path()].into_iter());
        std::fs::write(dir.path().join("away/x"), "x").unwrap();
        assert_eq!(files.happened().unwrap(), []);
        std::fs::write(inner.join("x"), "x").unwrap();
        assert_eq!(files.happened().unwrap().len(), 2);
    }

    #[test]
    fn what_is_not_there_is_no_trouble_and_what_is_not_wanted_is_let_go() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = watching(dir.path());
        files.watch([dir.path().join("none").as_path()].into_iter());
        assert_eq!((files.count(), files.unwatched.len()), (1, 0));
        files.keep(&std::collections::BTreeSet::new());
        assert_eq!((files.count(), files.names.len()), (0, 0));
    }
}
