//! Small before-images of one run, one after the other in the file `kept` of its directory. Workers whose bytes come while some are
//! written wait, and the next write takes all of them with one sync, where a file for each would cost a sync for each.
//!
//! An entry is `digest 32 | length u32 LE | crc32 u32 LE of those 36 | bytes`. What a crash cut off is not read: nothing that was kept
//! whole stands behind it. Bytes are checked against their digest when they are read. Secret ones never come here: `store` sees to that.

use super::StateDir;
use crate::failpoint;
use crate::os::parent::Parent;
use crate::os::safe_path::{Follow, open_file};
use crate::turns::Turns;
use model::{Digest, Failure};
use rustix::fs::{Mode, OFlags, fdatasync, openat};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Name of the file in a run's directory.
const NAME: &str = "kept";

/// Larger bytes have a file of their own, in bytes.
const LARGEST: usize = 64 << 10;

/// What one run may keep so, in bytes: nobody but this run shares it.
const ROOM: u64 = 4 << 20;

const HEADER: usize = 40;

/// Where bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    offset: u64,
    length: u32,
}

/// The pack of a run that is under way.
#[derive(Debug)]
pub(super) struct Pack {
    file: File,
    queue: Mutex<Queue>,
    writes: Turns<(), Infallible>,
}

#[derive(Debug)]
struct Queue {
    /// Entries that wait to be written.
    entries: Vec<u8>,
    /// Where they will be.
    end: u64,
    /// Up to here all is durable.
    durable: u64,
    /// Stays so where whoever writes panics.
    is_writing: bool,
    /// Where each is, or will be, of those that came in this process: the end of its entry.
    known: BTreeMap<Digest, u64>,
    /// A write failed: what is on the disk now is anybody's guess, and nothing more is put there.
    is_bad: bool,
}

/// Makes the empty pack of a new run, in its directory. Its name is durable once the directory is.
///
/// # Errors
/// There is one, or the system's answer.
pub(super) fn create(run: &Path) -> std::result::Result<(), Failure> {
    let path = run.join(NAME);
    let parent = Parent::open(&path)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = failpoint::hit("pack.create")
        .and_then(|()| Ok(openat(&parent.dir, &parent.name, flags, Mode::RUSR | Mode::WUSR)?));
    made.map(drop).map_err(|error| Failure::io("make", path.display(), error))
}

impl Pack {
    /// That of a run, to be added to; `None` where it has none.
    ///
    /// # Errors
    /// The system's answer.
    pub(super) fn open(run: &Path) -> std::result::Result<Option<Self>, Failure> {
        let path = run.join(NAME);
        let parent = Parent::open(&path)?;
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let failed = |error: Error| Failure::io("open", path.display(), error);
        let file = match openat(&parent.dir, &parent.name, flags, Mode::empty()) {
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            opened => File::from(opened.map_err(|errno| failed(errno.into()))?),
        };
        // What a run before a reboot left half written is written over.
        let end = scan(&file).map_err(failed)?.1;
        let known = BTreeMap::new();
        let queue = Queue { entries: Vec::new(), end, durable: end, is_writing: false, known, is_bad: false };
        Ok(Some(Self { file, queue: Mutex::new(queue), writes: Turns::new() }))
    }

    /// Keeps bytes, durably when this returns; of each whether it is so, or has to be kept elsewhere.
    pub(super) fn keep(&self, all: &[(Digest, &[u8])]) -> Vec<bool> {
        let mut queue = self.queue();
        let ends: Vec<Option<u64>> = all.iter().map(|(digest, bytes)| queue.place(digest, bytes)).collect();
        drop(queue);
        let Ok(()) = self.writes.take((), || {
            self.write();
            Ok(())
        });
        let durable = self.queue().durable;
        ends.into_iter().map(|end| end.is_some_and(|end| end <= durable)).collect()
    }

    /// Writes all that waits; nothing where the write before took all of it.
    fn write(&self) {
        let mut queue = self.queue();
        queue.is_bad |= queue.is_writing;
        if queue.is_bad || queue.entries.is_empty() {
            return;
        }
        let (entries, from) = (std::mem::take(&mut queue.entries), queue.durable);
        queue.is_writing = true;
        drop(queue);
        let written = self.put(&entries, from);
        let mut queue = self.queue();
        queue.is_writing = false;
        match written {
            Ok(()) => queue.durable = from + entries.len() as u64,
            Err(_) => queue.is_bad = true,
        }
    }

    fn put(&self, entries: &[u8], from: u64) -> Result<()> {
        failpoint::hit("pack.write")?;
        self.file.write_all_at(entries, from)?;
        failpoint::hit("pack.sync")?;
        Ok(fdatasync(&self.file)?)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Where the entry of these bytes ends, which waits or is there already.
    fn place(&mut self, digest: &Digest, bytes: &[u8]) -> Option<u64> {
        self.known.get(digest).copied().or_else(|| self.add(*digest, bytes))
    }

    /// Has bytes wait; where their entry ends. `None` where there is no room for them.
    fn add(&mut self, digest: Digest, bytes: &[u8]) -> Option<u64> {
        let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= LARGEST)?;
        let end = self.end + (HEADER + bytes.len()) as u64;
        if self.is_bad || end > ROOM {
            return None;
        }
        self.entries.extend(header(&digest, length));
        self.entries.extend(bytes);
        self.end = end;
        self.known.insert(digest, end);
        Some(end)
    }
}

/// What the packs of all runs have.
#[derive(Debug, Default)]
pub(super) struct Packed(BTreeMap<Digest, Vec<(PathBuf, Place)>>);

impl Packed {
    /// As it is now.
    ///
    /// # Errors
    /// The system's answer.
    pub(super) fn of(state: &StateDir) -> std::result::Result<Self, Failure> {
        let mut packed = Self::default();
        for run in state.numbers()? {
            let path = state.run_dir(run).join(NAME);
            let Some((file, _)) = open_file(&path, Follow::No)? else { continue };
            let (places, _) = scan(&file).map_err(|error| Failure::io("read", path.display(), error))?;
            for (digest, place) in places {
                packed.0.entry(digest).or_default().push((path.clone(), place));
            }
        }
        Ok(packed)
    }

    /// Bytes of this digest, from wherever they are whole; `None` where they are nowhere.
    ///
    /// # Errors
    /// The system's answer.
    pub(super) fn read(&self, digest: &Digest) -> std::result::Result<Option<Vec<u8>>, Failure> {
        for (path, place) in self.0.get(digest).into_iter().flatten() {
            let Some((file, _)) = open_file(path, Follow::No)? else { continue };
            let mut bytes = vec![0; place.length as usize];
            match file.read_exact_at(&mut bytes, place.offset) {
                Ok(()) if Digest::of(&bytes) == *digest => return Ok(Some(bytes)),
                // It is another file by now, or was damaged.
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(Failure::io("read", path.display(), error)),
            }
        }
        Ok(None)
    }
}

/// What stands where, up to the first entry that is not whole, and where that is.
fn scan(file: &File) -> Result<(BTreeMap<Digest, Place>, u64)> {
    let size = file.metadata()?.len();
    let (mut index, mut at) = (BTreeMap::new(), 0);
    let mut bytes = [0; HEADER];
    while at + HEADER as u64 <= size {
        file.read_exact_at(&mut bytes, at)?;
        let Some((digest, length)) = read_header(&bytes) else { break };
        let place = Place { offset: at + HEADER as u64, length };
        let end = place.offset + u64::from(length);
        if end > size {
            break;
        }
        index.insert(digest, place);
        at = end;
    }
    Ok((index, at))
}

fn header(digest: &Digest, length: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..32].copy_from_slice(digest.bytes());
    header[32..36].copy_from_slice(&length.to_le_bytes());
    let sum = crc32fast::hash(&header[..36]);
    header[36..].copy_from_slice(&sum.to_le_bytes());
    header
}

/// `None` where it is none.
fn read_header(header: &[u8; HEADER]) -> Option<(Digest, u32)> {
    let (said, sum) = header.split_at(36);
    let (digest, length) = said.split_at(32);
    let number = |bytes: &[u8]| bytes.try_into().map(u32::from_le_bytes).ok();
    let length = number(length).filter(|length| *length as usize <= LARGEST)?;
    (number(sum)? == crc32fast::hash(said)).then_some(())?;
    Some((Digest::from_bytes(digest.try_into().ok()?), length))
}

#[expect(clippy::disallowed_methods, reason = "damages scratch files")]
#[cfg(test)]
mod tests {
    use super::{HEADER, LARGEST, NAME, ROOM};
    use crate::failpoint::{Action, When, set_here};
    use crate::state::{StateDir, Store};
    use crate::undo::{Keep, Secrecy};
    use model::Fingerprint;
    use std::path::PathBuf;

    /// A run under way, its store and its pack.
    fn run() -> (tempfile::TempDir, StateDir, Store, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make().unwrap();
        let run = state.run_dir(1);
        state.make_run(1).unwrap();
        super::create(&run).unwrap();
        let store = state.store_of(1).unwrap();
        (dir, state, store, run.join(NAME))
    }

    fn blobs(state: &StateDir) -> usize {
        let dir = |sort: &str| state.root().join("blobs").join(sort).read_dir().unwrap().count();
        dir("sha256") + dir("keyed")
    }

    fn is_whole(state: &StateDir, kept: &Fingerprint, bytes: &[u8]) -> bool {
        state.store().recall(kept).is_ok_and(|found| found.expose() == bytes)
    }

    #[test]
    fn what_is_small_and_no_secret_is_kept_in_one_file() {
        let (_dir, state, store, _) = run();
        let sizes = [0, 1, 4096, LARGEST, LARGEST + 1];
        for (at, size) in sizes.into_iter().enumerate() {
            let bytes = vec![at as u8; size];
            let kept = [store.keep(&bytes, Secrecy::Open), store.keep(&bytes, Secrecy::Open)];
            assert!(kept.into_iter().all(|kept| is_whole(&state, &kept.unwrap(), &bytes)));
            assert_eq!(blobs(&state), usize::from(size > LARGEST));
        }
        let kept = store.keep(b"secret", Secrecy::Secret).unwrap();
        assert!(is_whole(&state, &kept, b"secret") && blobs(&state) == 2);
    }

    #[test]
    fn workers_share_it() {
        let (_dir, state, store, pack) = run();
        let bytes = |at: usize| vec![at as u8; 100 + at];
        let kept: Vec<Fingerprint> = std::thread::scope(|scope| {
            let keep = |at: usize| {
                let store = &store;
                scope.spawn(move || store.keep(&bytes(at / 2), Secrecy::Open).unwrap())
            };
            let workers: Vec<_> = (0..32).map(keep).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        assert!(kept.iter().enumerate().all(|(at, kept)| is_whole(&state, kept, &bytes(at / 2))));
        let once = (0..16).map(|at| HEADER + bytes(at).len()).sum::<usize>();
        assert_eq!(std::fs::metadata(pack).unwrap().len(), once as u64);
    }

    #[test]
    fn it_is_read_up_to_where_it_was_cut_and_goes_on_from_there() {
        let (_dir, state, store, pack) = run();
        let first = store.keep(b"first", Secrecy::Open).unwrap();
        let second = store.keep(b"second", Secrecy::Open).unwrap();
        let whole = std::fs::read(&pack).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&pack, &whole[..cut]).unwrap();
            assert_eq!(is_whole(&state, &first, b"first"), cut >= HEADER + 5, "{cut}");
            assert!(!is_whole(&state, &second, b"second"), "{cut}");
            let third = state.store_of(1).unwrap().keep(b"third", Secrecy::Open).unwrap();
            assert!(is_whole(&state, &third, b"third"), "{cut}");
        }
    }

    #[test]
    fn no_bit_turns_unseen() {
        let (_dir, state, store, pack) = run();
        let kept = store.keep(b"bytes", Secrecy::Open).unwrap();
        let whole = std::fs::read(&pack).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&pack, bytes).unwrap();
            assert!(state.store().recall(&kept).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn what_it_cannot_take_has_a_file_of_its_own() {
        for point in ["pack.write", "pack.sync"] {
            let (_dir, state, store, _) = run();
            let broken = set_here(point, When::Nth(1), Action::Error(5));
            let kept = store.keep(b"bytes", Secrecy::Open).unwrap();
            drop(broken);
            let after = store.keep(b"more", Secrecy::Open).unwrap();
            assert!(is_whole(&state, &kept, b"bytes") && is_whole(&state, &after, b"more"));
            assert_eq!(blobs(&state), 2, "nothing more is put where a write failed");
        }
        let (_dir, state, store, _) = run();
        let many = ROOM as usize / LARGEST;
        let keep = |at: usize| store.keep(&vec![at as u8; LARGEST], Secrecy::Open).unwrap();
        (0..many).for_each(|at| assert!(is_whole(&state, &keep(at), &vec![at as u8; LARGEST])));
        assert_eq!(blobs(&state), 1, "it is full");
    }
}
