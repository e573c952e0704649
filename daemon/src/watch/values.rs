//! Values of the kernel. inotify(7) tells at once what is written to their files, and of nothing else that changes them: what a driver, another
//! mount of proc(5) or the kernel itself does makes no sound. So those that are claimed are read every ten seconds as well, and compared with
//! what they were; sooner where the agent is awake anyhow, so that who has something to do is not woken for that besides. It decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// So often they are read. poll(2) lets so long a wait end 10 ms late, together with others (prctl(2), `PR_SET_TIMERSLACK`, is for shorter ones).
pub const EVERY: Duration = Duration::from_secs(10);

/// So much earlier they are read where nobody is woken for it.
const ALONG: Duration = Duration::from_secs(5);

/// So much of each is compared, in bytes: no number is longer.
const COMPARED: usize = 4096;

/// What a file held; why it could not be read is an answer as well.
type Held = Result<Vec<u8>, ErrorKind>;

/// The claimed values.
#[derive(Default)]
pub struct Values {
    known: BTreeMap<PathBuf, Held>,
    changed: BTreeSet<PathBuf>,
    next: Option<Instant>,
}

impl Values {
    /// Reads these from now on. What was known of them stays known: what changed meanwhile is told.
    pub fn mind<'a>(&mut self, paths: impl Iterator<Item = &'a Path>) {
        let mut before = std::mem::take(&mut self.known);
        let mut held = |path: &Path| before.remove(path).unwrap_or_else(|| read(path));
        self.known = paths.map(|path| (path.to_owned(), held(path))).collect();
        let again = self.next.unwrap_or_else(|| Instant::now() + EVERY);
        self.next = (!self.known.is_empty()).then_some(again);
    }

    /// When they are read next; `None` where there are none.
    pub fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Reads them, if it is time; true where one is not what it was.
    pub fn look(&mut self) -> bool {
        self.read(Duration::ZERO)
    }

    /// The same so much before it is.
    fn read(&mut self, early: Duration) -> bool {
        let now = Instant::now();
        if self.next.is_some_and(|next| next <= now + early) {
            self.next = Some(now + EVERY);
            for (path, known) in &mut self.known {
                let held = read(path);
                if held != *known {
                    *known = held;
                    self.changed.insert(path.clone());
                }
            }
        }
        !self.changed.is_empty()
    }

    /// Those that were not what they had been; asked by who is awake.
    pub fn happened(&mut self) -> BTreeSet<PathBuf> {
        self.read(ALONG);
        std::mem::take(&mut self.changed)
    }
}

fn read(path: &Path) -> Held {
    let mut bytes = [0; COMPARED];
    let count = File::open(path).and_then(|mut file| file.read(&mut bytes)).map_err(|error| error.kind())?;
    Ok(bytes[..count].to_vec())
}

#[expect(clippy::disallowed_methods, reason = "prepares scratch files")]
#[cfg(test)]
mod tests {
    use super::{ALONG, EVERY, Values};
    use std::path::Path;
    use std::time::Instant;

    #[test]
    fn a_value_that_is_another_one_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        std::fs::write(&a, "0\n").unwrap();
        let mut values = Values::default();
        values.mind([a.as_path(), b.as_path()].into_iter());
        let told = |values: &mut Values| {
            values.next = Some(Instant::now());
            values.happened().into_iter().collect::<Vec<_>>()
        };
        assert_eq!(told(&mut values), [""; 0].map(Path::new));
        std::fs::write(&a, "1\n").unwrap();
        std::fs::write(&b, "1\n").unwrap();
        assert_eq!(told(&mut values), [a.clone(), b.clone()]);
        assert_eq!(told(&mut values), [""; 0].map(Path::new));
        std::fs::remove_file(&b).unwrap();
        values.mind([b.as_path()].into_iter());
        assert_eq!(told(&mut values), [b], "what was known stays known");
    }

    #[test]
    fn nothing_is_read_before_it_is_time_nor_for_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let a = dir.path().join("a");
        let mut values = Values::default();
        values.mind([a.as_path()].into_iter());
        assert!(values.next().is_some_and(|next| next > Instant::now() && next <= Instant::now() + EVERY));
        std::fs::write(&a, "1\n").unwrap();
        assert!(!values.look() && values.happened().is_empty());
        values.next = Some(Instant::now() + ALONG);
        assert!(!values.look(), "nobody is woken for it yet");
        assert_eq!(values.happened().into_iter().collect::<Vec<_>>(), [a], "who is awake reads it");
        assert!(values.next().is_some_and(|next| next > Instant::now() + ALONG));
        values.mind(std::iter::empty());
        assert_eq!(values.next(), None);
    }
}
