//! A journal on the disk. It appears complete with its first records or not at all; an append returns when the record is durable;
//! space for the last records of a run is set aside, so that a full disk cannot keep a run from being closed.
//! It must not go on after a failed fsync: what is on the disk then is anybody's guess.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags, fallocate, fdatasync, fsync, openat};
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::JournalError;
use super::frame::{Cause, Contents, Damage, decode, encode};
use crate::failpoint;
use crate::os::error::{Doing, Result};
use crate::os::meta::{Expect, FileKind, Meta};
use crate::os::parent::Parent;
use crate::os::safe_path::{Follow, open_file, require};

/// Space is set aside in steps of this.
const STEP: u64 = 4 << 20;
/// What ordinary records must leave for the closing ones.
const CLOSING: u64 = 1 << 20;
/// At most this much of a damaged end is kept for people to look at.
const SET_ASIDE: u64 = 16 << 20;

/// Which space a record may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// What is left beside the space that was set aside for the closing records.
    Ordinary,
    /// Also that one: for the few records that end something.
    Closing,
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Appender {
    file: File,
    path: PathBuf,
    /// Where the next record goes.
    end: u64,
    /// Up to where the file's space is set aside; `None` where the file system cannot do that.
    reserved: Option<u64>,
    poisoned: bool,
}

/// A journal that was taken up again.
#[derive(Debug)]
pub struct Resumed<R> {
    /// For adding to it.
    pub journal: Appender,
    /// What it holds.
    pub records: Vec<R>,
    /// What was wrong at its end, and where those bytes are now.
    pub damage: Option<(Damage, PathBuf)>,
}

/// Makes a new journal that holds `first`, with space set aside for many more records.
///
/// # Errors
/// `Changed` if there is a journal already, `ENOSPC` if the space cannot be had, or the system's answer; nothing is left then.
pub fn create<R: Serialize>(path: &Path, first: &[R]) -> Result<Appender> {
    let parent = Parent::open(path)?;
    let temp = beside(path, ".new");
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    failpoint::hit("journal.create").doing("make", path)?;
    let file =
        openat(&parent.dir, &temp, flags, Mode::RUSR | Mode::WUSR).map(File::from).doing("make", path)?;
    let mut journal = Appender { file, path: path.to_owned(), end: 0, reserved: None, poisoned: false };
    let discard = |cause| parent.discard(&temp, AtFlags::empty(), cause);
    journal.fill(first).and_then(|()| parent.take_name(&temp, Expect::Absent)).map_err(discard)?;
    parent.sync()?;
    failpoint::hit("journal.created").doing("make", path)?;
    Ok(journal)
}

/// Reads a journal as far as it is good; `None` if there is none.
///
/// # Errors
/// The system's answer; damage is not an error.
pub fn read<R: DeserializeOwned>(path: &Path) -> Result<Option<Contents<R>>> {
    let Some((file, meta)) = open_file(path, Follow::No)? else { return Ok(None) };
    decode(io::BufReader::new(file), meta.size).doing("read", path).map(Some)
}

/// Takes a journal up again after a crash. A damaged end is moved to a file beside it and cut off.
///
/// # Errors
/// `Newer` if there are records that this version does not know, `ENOENT` if there is no journal, or the system's answer.
pub fn resume<R: DeserializeOwned>(path: &Path) -> std::result::Result<Resumed<R>, JournalError> {
    let parent = Parent::open(path)?;
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat(&parent.dir, &parent.name, flags, Mode::empty()).map(File::from).doing("open", path)?;
    let meta = Meta::from(&rustix::fs::fstat(&file).doing("look at", path)?);
    require(path, &meta, FileKind::File)?;
    let contents = decode::<R>(io::BufReader::new(&file), meta.size).doing("read", path)?;
    let mut journal =
        Appender { file, path: path.to_owned(), end: contents.good, reserved: None, poisoned: false };
    let damage = match contents.damage {
        Some(damage @ Damage { cause: Cause::Unknown(_), .. }) => {
            return Err(JournalError::Newer { path: path.to_owned(), damage });
        }
        Some(damage) => {
            let aside = journal.cut_off(&parent)?;
            Some((damage, aside))
        }
        None => None,
    };
    journal.reserve(0)?;
    Ok(Resumed { journal, records: contents.records, damage })
}

impl Appender {
    /// Adds a record and returns when it is durable. Leaves space for `append_closing`.
    ///
    /// # Errors
    /// `ENOSPC` before anything is written, if the space set aside runs low and no more can be had; the journal stays good then, and
    /// takes closing records. After any other error it is poisoned.
    pub fn append<R: Serialize>(&mut self, record: &R) -> std::result::Result<(), JournalError> {
        self.append_all([(record, Space::Ordinary)])
    }

    /// As `append`, for the few records that end a run: they may use the space that was set aside.
    ///
    /// # Errors
    /// As `append`, save that there is space for 1 MiB of such records.
    pub fn append_closing<R: Serialize>(&mut self, record: &R) -> std::result::Result<(), JournalError> {
        self.append_all([(record, Space::Closing)])
    }

    /// Adds records in this order, and returns when they are durable, by one sync for all of them.
    ///
    /// # Errors
    /// As `append`. Those before the one for which there is no space are durable then.
    pub fn append_all<'r, R: Serialize + 'r>(
        &mut self,
        records: impl IntoIterator<Item = (&'r R, Space)>,
    ) -> std::result::Result<(), JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned { path: self.path.clone() });
        }
        let mut frames = Vec::new();
        let all =
            records.into_iter().try_for_each(|(record, space)| self.prepare(record, space, &mut frames));
        if !frames.is_empty() {
            self.put(&frames)?;
        }
        Ok(all?)
    }

    /// Makes the frame of a record, for which there is space after those before it.
    fn prepare<R: Serialize>(&mut self, record: &R, space: Space, frames: &mut Vec<Vec<u8>>) -> Result<()> {
        let frame = encode(record).doing("add to", &self.path)?;
        if space == Space::Ordinary {
            self.reserve(length(frames) + frame.len() as u64)?;
        }
        frames.push(frame);
        Ok(())
    }

    fn put(&mut self, frames: &[Vec<u8>]) -> std::result::Result<(), JournalError> {
        self.poisoned = true;
        self.put_durably(frames).doing("add to", &self.path)?;
        self.end += length(frames);
        self.poisoned = false;
        frames.iter().try_for_each(|_| failpoint::hit("journal.appended")).doing("add to", &self.path)?;
        Ok(())
    }

    fn put_durably(&mut self, frames: &[Vec<u8>]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        for frame in frames {
            failpoint::hit("journal.append")?;
            self.file.write_all(frame)?;
        }
        failpoint::hit("journal.sync")?;
        fdatasync(&self.file)?;
        Ok(())
    }

    /// Makes sure that after `more` bytes there is still space for the closing records.
    fn reserve(&mut self, more: u64) -> Result<()> {
        let needed = self.end + more + CLOSING;
        if self.reserved.is_some_and(|reserved| reserved >= needed) {
            return Ok(());
        }
        let length = needed.next_multiple_of(STEP);
        let reserved = failpoint::hit("journal.reserve")
            .and_then(|()| Ok(fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, length)?));
        match reserved {
            Ok(()) => self.reserved = Some(length),
            // Such a file system (ext3, NFS before 4.2) gives no promise, and an append may then fail like any write.
            Err(error) if error.raw_os_error() == Some(Errno::OPNOTSUPP.raw_os_error()) => {}
            Err(error) => return Err(error).doing("set space aside for", &self.path),
        }
        Ok(())
    }

    fn fill<R: Serialize>(&mut self, first: &[R]) -> Result<()> {
        let mut frames = Vec::new();
        for record in first {
            frames.extend(encode(record).doing("write", &self.path)?);
        }
        self.reserve(frames.len() as u64)?;
        self.file.write_all(&frames).doing("write", &self.path)?;
        failpoint::hit("journal.fill").doing("sync", &self.path)?;
        fsync(&self.file).doing("sync", &self.path)?;
        self.end = frames.len() as u64;
        Ok(())
    }

    /// Copies what follows the good part to a file of its own, durably, then cuts it off. A name that is taken means that a crash
    /// came between the two; the copy is made again.
    fn cut_off(&mut self, parent: &Parent) -> Result<PathBuf> {
        let name = beside(&self.path, &format!(".damaged-{}", self.end));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let aside = openat(&parent.dir, &name, flags, Mode::RUSR | Mode::WUSR).map(File::from);
        let mut aside = aside.doing("set the damaged end aside of", &self.path)?;
        self.file.seek(SeekFrom::Start(self.end)).doing("read", &self.path)?;
        let copied = io::copy(&mut (&self.file).take(SET_ASIDE), &mut aside);
        copied.doing("set the damaged end aside of", &self.path)?;
        fsync(&aside).doing("sync the damaged end of", &self.path)?;
        parent.sync()?;
        self.file.set_len(self.end).doing("cut the damaged end off", &self.path)?;
        fsync(&self.file).doing("sync", &self.path)?;
        Ok(self.path.with_file_name(name))
    }
}

fn length(frames: &[Vec<u8>]) -> u64 {
    frames.iter().map(|frame| frame.len() as u64).sum()
}

fn beside(path: &Path, suffix: &str) -> OsString {
    let mut name = path.file_name().unwrap_or(OsStr::new("journal")).to_owned();
    name.push(suffix);
    name
}

#[cfg(test)]
mod tests {
    use super::{JournalError, Space, create, read, resume};
    use crate::failpoint::{Action, When, set_here};
    use std::path::Path;

    const EIO: Action = Action::Error(5);
    const ENOSPC: Action = Action::Error(28);

    fn records(path: &Path) -> Vec<u32> {
        read(path).unwrap().unwrap().records
    }

    fn count(dir: &Path) -> usize {
        std::fs::read_dir(dir).unwrap().count()
    }

    #[test]
    fn appends_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        assert!(read::<u32>(&path).unwrap().is_none());
        let mut journal = create(&path, &[1, 2]).unwrap();
        journal.append(&3).unwrap();
        journal.append_closing(&4).unwrap();
        assert_eq!(records(&path), [1, 2, 3, 4]);
        assert_eq!(count(dir.path()), 1);
        assert!(create(&path, &[9]).is_err());
        assert_eq!((records(&path).len(), count(dir.path())), (4, 1));
    }

    #[test]
    fn several_records_are_durable_by_one_sync() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let mut journal = create(&path, &[1]).unwrap();
        let _point = set_here("journal.sync", When::Nth(2), EIO);
        let all = [2, 3, 4];
        journal.append_all(all.iter().map(|record| (record, Space::Ordinary))).unwrap();
        assert_eq!(records(&path), [1, 2, 3, 4]);
        assert!(matches!(journal.append(&5), Err(JournalError::Os(_))), "the second sync");
    }

    #[test]
    fn of_several_records_a_cut_leaves_the_first_ones() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let mut journal = create(&path, &[1]).unwrap();
        let _point = set_here("journal.append", When::Nth(3), EIO);
        let all = [2, 3, 4];
        let added = journal.append_all(all.iter().map(|record| (record, Space::Closing)));
        assert!(matches!(added, Err(JournalError::Os(_))), "{added:?}");
        assert_eq!(records(&path), [1, 2, 3]);
        assert!(matches!(journal.append(&5), Err(JournalError::Poisoned { .. })));
    }

    #[test]
    fn an_error_while_it_is_made_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        for step in ["create", "reserve", "fill"] {
            let _point = set_here(&format!("journal.{step}"), When::Nth(1), ENOSPC);
            assert_eq!(create(&path, &[1]).unwrap_err().errno(), Some(28), "{step}");
            assert_eq!(count(dir.path()), 0, "{step}");
        }
    }

    #[test]
    fn a_failed_sync_poisons_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let mut journal = create(&path, &[1]).unwrap();
        let _point = set_here("journal.sync", When::Nth(1), EIO);
        assert!(matches!(journal.append(&2), Err(JournalError::Os(_))));
        assert!(matches!(journal.append(&3), Err(JournalError::Poisoned { .. })));
        assert!(matches!(journal.append_closing(&3), Err(JournalError::Poisoned { .. })));
    }

    #[test]
    fn a_full_disk_stops_ordinary_records_but_not_closing_ones() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let mut journal = create(&path, &["first".to_owned()]).unwrap();
        let _point = set_here("journal.reserve", When::From(1), ENOSPC);
        let record = "x".repeat(1 << 20);
        (0..2).for_each(|_| journal.append(&record).unwrap());
        let error = journal.append(&record).unwrap_err();
        assert!(matches!(&error, JournalError::Os(os) if os.errno() == Some(28)), "{error}");
        journal.append(&"a small one still fits").unwrap();
        let both = ["before".to_owned(), record.clone(), "after".to_owned()];
        assert!(journal.append_all(both.iter().map(|record| (record, Space::Ordinary))).is_err());
        let last = read::<String>(&path).unwrap().unwrap().records.pop();
        assert_eq!(last.as_deref(), Some("before"), "what there was space for");
        journal.append_closing(&"last").unwrap();
        assert_eq!(read::<String>(&path).unwrap().unwrap().records.last().unwrap(), "last");
    }

    #[test]
    fn sets_a_damaged_end_aside_and_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        drop(create(&path, &[1, 2, 3]).unwrap());
        let bytes = std::fs::read(&path).unwrap();
        for cut in 1..9 {
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_len((bytes.len() - cut) as u64).unwrap();
            let mut resumed = resume::<u32>(&path).unwrap();
            assert_eq!(resumed.records, [1, 2]);
            let (damage, aside) = resumed.damage.unwrap();
            assert_eq!(std::fs::read(aside).unwrap(), bytes[damage.offset as usize..bytes.len() - cut]);
            resumed.journal.append(&3).unwrap();
            assert_eq!(records(&path), [1, 2, 3]);
        }
    }

    #[test]
    fn does_not_add_to_what_a_newer_version_wrote() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        drop(create(&path, &["new"]).unwrap());
        let error = resume::<u32>(&path).unwrap_err();
        assert!(matches!(error, JournalError::Newer { .. }), "{error}");
        assert_eq!(read::<String>(&path).unwrap().unwrap().records, ["new"]);
        assert!(resume::<u32>(&dir.path().join("none")).is_err());
    }
}
