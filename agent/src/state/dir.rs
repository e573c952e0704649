//! The directory of a host's state, and the lock that lets one run at a time.

use super::Store;
use crate::os::atomic_write::{Content, Keep, Target, WhenBusy, atomic_write};
use crate::os::attributes::Attributes;
use crate::os::lock::{Attempt, Holder, Lock, holder, lock_within, try_lock};
use crate::os::make::{begin_directory, make_directory};
use crate::os::parent::Parent;
use crate::os::safe_path::{self, Follow};
use crate::os::{Expect, FileKind, OsError, ask_to_stop};
use model::Failure;
use std::ffi::OsString;
use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the state is, unless said otherwise.
pub const DEFAULT_ROOT: &str = "/var/lib/evenkeel";

/// Largest of the small files here, in bytes.
const SMALL: u64 = 64 << 20;

/// So long a holder that was killed may still seem to hold the lock.
const PASSING: Duration = Duration::from_secs(1);

/// A host's state.
#[derive(Clone, Debug)]
pub struct StateDir {
    root: PathBuf,
}

/// The answer to an attempt to have the host to oneself.
#[derive(Debug)]
pub enum Taken {
    /// It is ours until this is dropped.
    Ours(Lock),
    /// Another run has it; in words, who.
    Theirs(String),
}

impl StateDir {
    /// The state below `root`; nothing is read or made yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes what is missing of the directories, each 0700 and the caller's own. State of a newer Evenkeel is refused.
    pub fn make(&self) -> Result<(), Failure> {
        self.owned()?;
        make_private(&self.root)?;
        self.sign()?;
        let blobs = self.root.join("blobs");
        for dir in [&self.runs(), &blobs, &blobs.join("sha256"), &blobs.join("keyed")] {
            make_private(dir)?;
        }
        Ok(())
    }

    /// Refuses what belongs to somebody else: who may write there decides what a rollback puts where.
    fn owned(&self) -> Result<(), Failure> {
        let (uid, _) = ourselves();
        match safe_path::look(&self.root, Follow::No)? {
            Some(meta) if meta.kind() == FileKind::Directory && meta.uid != uid => Err(Failure::refused(
                format!("{} belongs to another user, uid {}", self.root.display(), meta.uid),
                "run it as that user, with sudo for root, or say another --state-dir",
            )),
            _ => Ok(()),
        }
    }

    /// Takes the host's run lock, or says who has it.
    pub fn lock(&self, by: &Holder) -> Result<Taken, Failure> {
        let mut attempt = try_lock(&self.lock_path(), by)?;
        if let Attempt::Held(Ok(other)) = &attempt
            && is_dead(other.pid)
        {
            // What it was just about to start when it was killed has the lock until it is another program.
            attempt = lock_within(&self.lock_path(), by, PASSING)?;
        }
        match attempt {
            Attempt::Taken(lock) => Ok(Taken::Ours(lock)),
            Attempt::Held(Ok(by)) => {
                let what =
                    if by.run.is_empty() { by.command } else { format!("run {}, {}", by.run, by.command) };
                Ok(Taken::Theirs(format!("{what}, process {}, since {}", by.pid, by.since)))
            }
            Attempt::Held(Err(why)) => Ok(Taken::Theirs(format!("an unknown process ({why})"))),
        }
    }

    /// Who has the run lock; `None` where nobody has, and no run lives.
    ///
    /// # Errors
    /// It cannot be looked at, or whoever has it does not say who it is.
    pub fn holder(&self) -> Result<Option<Holder>, Failure> {
        let path = self.lock_path();
        let unknown = |why| Failure::unknown(format!("who has {}", path.display()), why);
        holder(&path)?.transpose().map_err(unknown)
    }

    /// Tells a run to stop at its next safe point; false where it is not under way.
    ///
    /// # Errors
    /// It cannot be told.
    pub fn ask_to_stop(&self, run: u64) -> Result<bool, Failure> {
        let watcher = holder(&self.watch_lock())?.transpose();
        let watcher =
            watcher.map_err(|why| Failure::unknown("who watches over the run", why))?.map(|by| by.pid);
        // Who watches over a run has its lock when it has ended, and has to go on.
        match self.holder()? {
            Some(by) if watcher != Some(by.pid) => ask_to_stop(&self.lock_path(), run),
            _ => Ok(false),
        }
    }

    /// What the process holds that watches over a run.
    pub fn watch_lock(&self) -> PathBuf {
        self.root.join("watch.lock")
    }

    /// The lock itself.
    fn lock_path(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Where the bytes of before-images are.
    pub fn store(&self) -> Store {
        Store::new(self.root.clone())
    }

    /// The same, for a run that is under way to keep bytes there.
    ///
    /// # Errors
    /// What it has kept so far cannot be read.
    pub fn store_of(&self, run: u64) -> Result<Store, Failure> {
        self.store().of_run(&self.run_dir(run))
    }

    pub(super) fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Directory of one run.
    pub fn run_dir(&self, run: u64) -> PathBuf {
        self.runs().join(format!("{run:06}"))
    }

    /// Makes the directory of a new run. What is handed back is to be synced once something in it is.
    pub(super) fn make_run(&self, run: u64) -> Result<Parent, Failure> {
        Ok(begin_directory(&self.run_dir(run))?)
    }

    /// The numbers of the runs, ascending. State of a newer Evenkeel is refused.
    pub fn numbers(&self) -> Result<Vec<u64>, Failure> {
        self.owned()?;
        self.understood()?;
        let names = safe_path::list(&self.runs(), Follow::No)?.unwrap_or_else(Vec::new);
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The number of the run that comes next.
    pub fn next_run(&self) -> Result<u64, Failure> {
        Ok(self.numbers()?.last().map_or(1, |last| last + 1))
    }

    /// Makes a folder of the state, 0700, for those who keep something of their own there.
    ///
    /// # Errors
    /// It could not be made.
    pub fn make_folder(&self, name: &str) -> Result<(), Failure> {
        self.make()?;
        make_private(&self.root.join(name))
    }

    /// A small file of the state; `None` where there is none.
    ///
    /// # Errors
    /// It cannot be read, or is none of the small ones.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(safe_path::read_file(&self.root.join(name), Follow::No, SMALL)?.map(|(bytes, _)| bytes))
    }

    /// Replaces a small file of the state, whole and durably.
    ///
    /// # Errors
    /// It could not be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        write_private(&self.root.join(name), &mut Cursor::new(bytes))
    }
}

/// One directory of ours, 0700; fine where it is there already.
pub(super) fn make_private(dir: &Path) -> Result<(), Failure> {
    if is_directory(dir)? {
        return Ok(());
    }
    let (uid, gid) = ourselves();
    let attributes = Attributes { uid: Some(uid), gid: Some(gid), mode: Some(0o700) };
    match make_directory(dir, attributes) {
        // Two who are the first on a host make it at once.
        Err(OsError::Io { source, .. })
            if source.kind() == ErrorKind::AlreadyExists && is_directory(dir)? =>
        {
            Ok(())
        }
        made => Ok(made?),
    }
}

/// False where nothing is there.
fn is_directory(dir: &Path) -> Result<bool, Failure> {
    match safe_path::look(dir, Follow::No)? {
        None => Ok(false),
        Some(meta) if meta.kind() == FileKind::Directory => Ok(true),
        Some(_) => {
            Err(Failure::refused(format!("{} is no directory", dir.display()), "move away what stands there"))
        }
    }
}

/// Puts a file of ours, 0600, whole and durably.
pub(super) fn write_private(path: &Path, content: &mut dyn Content) -> Result<(), Failure> {
    // By chance: two workers may put the same file, and in a container a process that was cut off had our number.
    let mut chance = [0; 8];
    getrandom::fill(&mut chance)
        .map_err(|error| Failure::io("get random bytes for", path.display(), error))?;
    let mut temp = OsString::from(".");
    temp.push(path.file_name().unwrap_or_default());
    temp.push(format!(".{:016x}", u64::from_ne_bytes(chance)));
    let (uid, gid) = ourselves();
    let target = Target {
        path,
        temp_name: &temp,
        uid,
        gid,
        mode: 0o600,
        keep: Keep::Inherited,
        expect: Expect::Anything,
        busy: WhenBusy::Refuse,
    };
    atomic_write(&target, content, None)?;
    Ok(())
}

/// Whether there is no such process, as far as can be seen from here.
fn is_dead(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_none_or(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

fn ourselves() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::{StateDir, Taken};
    use crate::os::lock::Holder;
    use std::time::Duration;

    #[test]
    fn a_dead_holder_holds_nobody_up() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::new(scratch.path().join("state"));
        state.make().unwrap();
        let of = |pid| Holder { pid, run: String::new(), since: String::new(), command: String::new() };
        let take = |pid| match state.lock(&of(pid)).unwrap() {
            Taken::Ours(lock) => Some(lock),
            Taken::Theirs(_) => None,
        };
        let lock = take(std::process::id()).unwrap();
        assert!(take(1).is_none(), "it lives");
        drop(lock);
        let lock = take(999_999_999).unwrap();
        let leftover = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(lock);
        });
        assert!(take(1).is_some(), "whom nobody runs as any more has no lock for long");
        leftover.join().unwrap();
    }

    #[test]
    fn the_state_of_another_user_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("state");
        StateDir::new(&root).make().unwrap();
        // Who is not root has no way to give a directory away, and the directory of root to look at.
        let given = std::os::unix::fs::chown(&root, Some(4242), None).is_ok();
        let state = StateDir::new(if given { root } else { "/usr".into() });
        let refused = state.numbers().unwrap_err().to_string();
        assert!(refused.contains("belongs to another user"), "{refused}");
        assert_eq!(state.make().unwrap_err().to_string(), refused);
    }

    #[test]
    fn several_may_be_the_first_at_once() {
        for _ in 0..20 {
            let scratch = tempfile::tempdir().unwrap();
            let state = StateDir::new(scratch.path().join("state"));
            std::thread::scope(|scope| {
                let all: Vec<_> = (0..8).map(|_| scope.spawn(|| state.make())).collect();
                all.into_iter().for_each(|one| one.join().unwrap().unwrap());
            });
        }
    }
}
