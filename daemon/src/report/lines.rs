//! What was told, a line of JSON each, in the agent's folder. Kept for so many lines and days; two files take turns, so that the older
//! half goes at once.

use super::{Reporter, Told};
use crate::status::Status;
use agent::state::StateDir;
use model::Failure;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// The lines, and those before them.
const NAMES: [&str; 2] = ["agent/reports.jsonl", "agent/reports.1.jsonl"];

/// Lines in files.
pub struct Lines {
    paths: [PathBuf; 2],
    /// A file is full at so many.
    most: usize,
    /// A file is too old at so many days.
    days: u64,
    count: usize,
    /// The day of the first line, as `2026-01-02`.
    since: String,
    /// Whether the last line has no end: the power went, or there was no room.
    is_torn: bool,
}

impl Lines {
    /// In the agent's folder of `state`.
    ///
    /// # Errors
    /// What is there cannot be read.
    pub fn open(state: &StateDir, keep: usize, days: u64) -> Result<Self, Failure> {
        let paths = NAMES.map(|name| state.root().join(name));
        let (mut count, mut since, mut is_torn) = (0, String::new(), false);
        let failed = |error| Failure::io("read", paths[0].display(), error);
        match File::open(&paths[0]) {
            Ok(file) => {
                let (mut file, mut line) = (BufReader::new(file), Vec::new());
                while file.read_until(b'\n', &mut line).map_err(failed)? > 0 {
                    if count == 0 {
                        since = day_of(&line);
                    }
                    count += 1;
                    is_torn = line.last() != Some(&b'\n');
                    line.clear();
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        Ok(Self { paths, most: (keep / 2).max(1), days: (days / 2).max(1), count, since, is_torn })
    }

    fn is_full(&self, today: &str) -> bool {
        let age = || {
            let [from, to]: [jiff::civil::Date; 2] = [self.since.parse().ok()?, today.parse().ok()?];
            u64::try_from(from.until(to).ok()?.get_days()).ok()
        };
        self.count >= self.most || self.count > 0 && age().is_some_and(|age| age >= self.days)
    }
}

impl Reporter for Lines {
    fn name(&self) -> &'static str {
        "reports"
    }

    fn tell(&mut self, told: &Told, _: &Status) -> Result<(), Failure> {
        let failed = |error| Failure::io("write", self.paths[0].display(), error);
        let today = told.at.get(..10).unwrap_or_default().to_owned();
        if self.is_full(&today) {
            match std::fs::rename(&self.paths[0], &self.paths[1]) {
                // Somebody took it away: there is room.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                other => other.map_err(failed)?,
            }
            (self.count, self.is_torn) = (0, false);
        }
        // What is half there stays by itself.
        let mut line = if self.is_torn { b"\n".to_vec() } else { Vec::new() };
        serde_json::to_writer(&mut line, told).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.paths[0]);
        let written = opened.and_then(|mut file| file.write_all(&line));
        self.is_torn = written.is_err();
        written.map_err(failed)?;
        if self.count == 0 {
            self.since = today;
        }
        self.count += 1;
        Ok(())
    }
}

/// The day in a line; empty where it is damaged.
fn day_of(line: &[u8]) -> String {
    let value: Option<serde_json::Value> = serde_json::from_slice(line).ok();
    let at = value.as_ref().and_then(|value| value.get("at")?.as_str()?.get(..10));
    at.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use crate::report::{Reporter, Told, What};
    use crate::status::Status;
    use agent::state::StateDir;

    fn told(at: &str) -> Told {
        Told { at: at.to_owned(), host: "h".into(), catalog: None, what: What::Stopped }
    }

    fn count(lines: &Lines) -> [usize; 2] {
        lines
            .paths
            .each_ref()
            .map(|path| std::fs::read_to_string(path).map_or(0, |text| text.lines().count()))
    }

    #[test]
    fn half_a_line_spoils_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make_folder("agent").unwrap();
        state.write("agent/reports.jsonl", b"{\"at\":\"2026-01-02T00:00:00Z\"}\n{\"at\":").unwrap();
        let mut lines = Lines::open(&state, 10, 30).unwrap();
        for _ in 0..2 {
            lines.tell(&told("2026-01-02T00:00:01Z"), &Status::default()).unwrap();
        }
        let text = std::fs::read_to_string(&lines.paths[0]).unwrap();
        let whole = |line: &&str| serde_json::from_str::<serde_json::Value>(line).is_ok();
        assert_eq!((text.lines().filter(whole).count(), text.lines().count()), (3, 4), "{text}");
    }

    #[test]
    fn lines_are_kept_for_so_many_and_so_long() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make_folder("agent").unwrap();
        let mut lines = Lines::open(&state, 10, 30).unwrap();
        for at in 0..12 {
            lines.tell(&told(&format!("2026-01-02T00:00:{at:02}Z")), &Status::default()).unwrap();
        }
        assert_eq!(count(&lines), [2, 5]);
        let mut lines = Lines::open(&state, 10, 30).unwrap();
        lines.tell(&told("2026-01-16T00:00:00Z"), &Status::default()).unwrap();
        assert_eq!(count(&lines), [3, 5]);
        lines.tell(&told("2026-01-17T00:00:00Z"), &Status::default()).unwrap();
        assert_eq!(count(&lines), [1, 3]);
        std::fs::remove_file(&lines.paths[0]).unwrap();
        lines.tell(&told("2026-03-17T00:00:00Z"), &Status::default()).unwrap();
        assert_eq!(count(&lines), [1, 3], "one that somebody removed is begun anew");
        let text = std::fs::read_to_string(&lines.paths[0]).unwrap();
        assert_eq!(
            text,
            "{\"at\":\"2026-03-17T00:00:00Z\",\"host\":\"h\",\"catalog\":null,\"event\":\"stopped\"}\n"
        );
    }
}
