//! What waits to be told to somebody away from this host: a file each, in the order in which it came, in a folder of the agent's. It
//! outlives a restart and a reboot. There is no room for ever more of it: the oldest goes first, and how much went is kept too.

use agent::os::safe_path::{Follow, list, read_file};
use agent::state::StateDir;
use model::Failure;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// So many wait, at most.
const MOST: usize = 1000;
/// They are so large together, in bytes, at most.
const MOST_BYTES: u64 = 8 << 20;
/// One of them is smaller, in bytes.
const LARGEST: u64 = 1 << 20;

/// What went untold for want of room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// How many.
    pub count: u64,
    /// When the first of them was to be told, RFC 3339 in UTC.
    pub from: String,
    /// When the last of them was.
    pub to: String,
    /// True where there were more, of which the note is damaged.
    #[serde(default)]
    pub is_more: bool,
}

impl Lost {
    /// For people.
    pub fn words(&self) -> String {
        let known = format!("{} reports were dropped, from {} to {}", self.count, self.from, self.to);
        let what = match (self.is_more, self.count) {
            (false, _) => known,
            (true, 0) => {
                "reports were dropped, and how many is not known, as the note of them is damaged".to_owned()
            }
            (true, _) => format!("{known}, and others before, of which the note is damaged"),
        };
        format!("{what}: nobody took them, and no more than {MOST} can wait")
    }
}

/// Something that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its number: names it for ever.
    pub number: u64,
    /// What is in it.
    pub payload: Vec<u8>,
}

/// What waits, the oldest first.
pub struct Queue {
    state: StateDir,
    folder: String,
    /// Number and size of each.
    waiting: VecDeque<(u64, u64)>,
    bytes: u64,
    most: usize,
    next: u64,
    lost: Option<Lost>,
}

impl Queue {
    /// What waits for `name` in the agent's folder of `state`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(state: &StateDir, name: &str) -> Result<Self, Failure> {
        let folder = format!("{}/{name}", crate::memory::FOLDER);
        state.make_folder(crate::memory::FOLDER)?;
        state.make_folder(&folder)?;
        let state = StateDir::new(state.root());
        let dir = state.root().join(&folder);
        let mut numbers = Vec::new();
        for name in list(&dir, Follow::No)?.unwrap_or_default() {
            let name = name.to_string_lossy().into_owned();
            match name.parse::<u64>() {
                Ok(number) => numbers.push(number),
                // Half of one that was being put when the power went.
                Err(_) if name.starts_with('.') => remove(&dir.join(name))?,
                Err(_) => {}
            }
        }
        numbers.sort_unstable();
        let (mut waiting, mut bytes) = (VecDeque::new(), 0);
        for number in numbers {
            let size = std::fs::symlink_metadata(dir.join(name_of(number))).map_or(0, |meta| meta.len());
            waiting.push_back((number, size));
            bytes += size;
        }
        let next = waiting.back().map_or(1, |(number, _)| number + 1);
        let mut queue = Self { state, folder, waiting, bytes, most: MOST, next, lost: None };
        // Damaged, it says no more than that something was lost; that it cannot be told how much is no reason to tell nothing.
        let damaged = |_| Lost { count: 0, from: String::new(), to: String::new(), is_more: true };
        let lost = queue.state.read(&queue.path("lost"))?;
        queue.lost = lost.map(|bytes| serde_json::from_slice(&bytes).unwrap_or_else(damaged));
        Ok(queue)
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// What went untold so far, and was not told itself.
    pub fn lost(&self) -> Option<&Lost> {
        self.lost.as_ref()
    }

    /// It was told.
    ///
    /// # Errors
    /// It cannot be forgotten.
    pub fn forget_lost(&mut self) -> Result<(), Failure> {
        self.lost = None;
        remove(&self.state.root().join(self.path("lost")))
    }

    /// Puts one at the end, durably; `at` is when, RFC 3339 in UTC. Where there is no room the oldest goes.
    ///
    /// # Errors
    /// It could not be written.
    pub fn put(&mut self, at: &str, payload: &[u8]) -> Result<(), Failure> {
        let bytes = [at.as_bytes(), b"\n", payload].concat();
        let size = bytes.len() as u64;
        if size > LARGEST {
            return Err(Failure::refused("a report is larger than what can wait", "it is in reports.jsonl"));
        }
        while self.waiting.len() >= self.most || self.bytes + size > MOST_BYTES {
            self.drop_oldest()?;
        }
        self.state.write(&self.path(&name_of(self.next)), &bytes)?;
        self.waiting.push_back((self.next, size));
        self.bytes += size;
        self.next += 1;
        Ok(())
    }

    fn drop_oldest(&mut self) -> Result<(), Failure> {
        let Some((number, _)) = self.waiting.front().copied() else { return Ok(()) };
        let at = self.read(number)?.map(|(at, _)| at).unwrap_or_default();
        let none = || Lost { count: 0, from: at.clone(), to: String::new(), is_more: false };
        let lost = self.lost.get_or_insert_with(none);
        if lost.count == 0 {
            lost.from.clone_from(&at);
        }
        lost.count += 1;
        lost.to = at;
        let bytes =
            serde_json::to_vec(lost).map_err(|error| Failure::io("describe", "what was lost", error))?;
        // First: what is lost twice is better than what is lost unsaid.
        self.state.write(&self.path("lost"), &bytes)?;
        self.done(number)
    }

    /// The oldest.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn first(&mut self) -> Result<Option<Letter>, Failure> {
        while let Some((number, _)) = self.waiting.front().copied() {
            match self.read(number)? {
                Some((_, payload)) => return Ok(Some(Letter { number, payload })),
                // Somebody took it away.
                None => self.done(number)?,
            }
        }
        Ok(None)
    }

    /// When it was put, and what it holds.
    fn read(&self, number: u64) -> Result<Option<(String, Vec<u8>)>, Failure> {
        let path = self.state.root().join(self.path(&name_of(number)));
        let Some((bytes, _)) = read_file(&path, Follow::No, LARGEST)? else { return Ok(None) };
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        let at = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned();
        Ok(Some((at, bytes.get(end + 1..).unwrap_or_default().to_owned())))
    }

    /// Takes one away.
    ///
    /// # Errors
    /// It stays.
    pub fn done(&mut self, number: u64) -> Result<(), Failure> {
        remove(&self.state.root().join(self.path(&name_of(number))))?;
        if let Some(at) = self.waiting.iter().position(|(it, _)| *it == number)
            && let Some((_, size)) = self.waiting.remove(at)
        {
            self.bytes = self.bytes.saturating_sub(size);
        }
        Ok(())
    }
}

/// Nobody of this name is told any more: what waits for it goes. `before` is called first, where something waits.
///
/// # Errors
/// Something waits still: it goes when the agent begins again.
pub fn forget(
    state: &StateDir,
    name: &str,
    before: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let dir = state.root().join(crate::memory::FOLDER).join(name);
    let names = list(&dir, Follow::No)?.unwrap_or_default();
    if names.is_empty() {
        return Ok(());
    }
    before()?;
    names.iter().try_for_each(|name| remove(&dir.join(name)))
}

/// Sorted as they came.
fn name_of(number: u64) -> String {
    format!("{number:012}")
}

fn remove(path: &std::path::Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::io("remove", path.display(), error))
        }
        _ => Ok(()),
    }
}

#[expect(clippy::disallowed_methods, reason = "prepares scratch files")]
#[cfg(test)]
mod tests {
    use super::{Queue, forget};
    use agent::state::StateDir;

    fn state() -> (tempfile::TempDir, StateDir) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        (dir, state)
    }

    #[test]
    fn it_outlives_a_restart_in_its_order() {
        let (_dir, state) = state();
        let mut queue = Queue::open(&state, "x").unwrap();
        for text in ["one\ntwo", "three"] {
            queue.put("2026-01-02T00:00:00Z", text.as_bytes()).unwrap();
        }
        std::fs::write(state.root().join("agent/x/.000000000003.12"), "half").unwrap();
        let mut queue = Queue::open(&state, "x").unwrap();
        let first = queue.first().unwrap().unwrap();
        assert_eq!((queue.len(), first.payload.as_slice()), (2, b"one\ntwo".as_slice()));
        queue.done(first.number).unwrap();
        assert_eq!(queue.first().unwrap().unwrap().payload, b"three");
        queue.put("2026-01-02T00:00:01Z", b"four").unwrap();
        assert_eq!(std::fs::read_dir(state.root().join("agent/x")).unwrap().count(), 2);
    }

    #[test]
    fn what_waits_for_nobody_goes() {
        let (_dir, state) = state();
        forget(&state, "x", || panic!("nothing ever waited")).unwrap();
        let mut queue = Queue::open(&state, "x").unwrap();
        ["one", "two"].iter().for_each(|text| queue.put("t", text.as_bytes()).unwrap());
        forget(&state, "x", || Ok(())).unwrap();
        assert_eq!(Queue::open(&state, "x").unwrap().len(), 0);
        assert_eq!(queue.first().unwrap(), None, "also for who carries still");
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let (_dir, state) = state();
        let mut queue = Queue::open(&state, "x").unwrap();
        queue.most = 5;
        for at in 0..8 {
            queue.put(&format!("t{at}"), b"x").unwrap();
        }
        let lost = Queue::open(&state, "x").unwrap().lost().cloned().unwrap();
        assert_eq!((queue.len(), lost.count, lost.from.as_str(), lost.to.as_str()), (5, 3, "t0", "t2"));
        assert_eq!(queue.first().unwrap().unwrap().number, 4);
        std::fs::write(state.root().join("agent/x/lost"), "{").unwrap();
        let mut queue = Queue::open(&state, "x").unwrap();
        assert!(queue.lost().unwrap().words().starts_with("reports were dropped, and how many is not known"));
        queue.most = 5;
        queue.put("t8", b"x").unwrap();
        let words = queue.lost().unwrap().words();
        assert!(words.starts_with("1 reports were dropped, from t3 to t3, and others before"), "{words}");
        queue.forget_lost().unwrap();
        assert_eq!(Queue::open(&state, "x").unwrap().lost(), None);
    }

    #[test]
    fn it_is_bounded_in_bytes_too_and_nothing_is_too_large() {
        let (_dir, state) = state();
        let mut queue = Queue::open(&state, "x").unwrap();
        let large = vec![b'x'; 1_000_000];
        for _ in 0..9 {
            queue.put("t", &large).unwrap();
        }
        assert_eq!((queue.len(), queue.lost().unwrap().count), (8, 1));
        assert!(queue.put("t", &vec![b'x'; 2 << 20]).is_err());
        assert_eq!(queue.len(), 8);
    }
}
