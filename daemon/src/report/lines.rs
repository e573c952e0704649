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
}

impl Lines {
    /// In the agent's folder of `state`.
    ///
    /// # Errors
    /// What is there cannot be read.
    pub fn open(state: &StateDir, keep: usize, days: u64) -> Result<Self, Failure> {
        let paths = NAMES.map(|name| state.root().join(name));
        let (mut count, mut since) = (0, String::new());
        match File::open(&paths[0]) {
            Ok(file) => {
                for line in BufReader::new(file).split(b'\n') {
                    let line = line.map_err(|error| Failure::io("read", paths[0].display(), error))?;
                    if count == 0 {
                        since = day_of(&line);
                    }
                    count += 1;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::io("read", paths[0].display(), error)),
        }
        Ok(Self { paths, most: (keep / 2).max(1), days: (days / 2).max(1), count, since })
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
            self.count = 0;
        }
        let mut line = serde_json::to_vec(told).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.paths[0]);
        opened.and_then(|mut file| file.write_all(&line)).map_err(failed)?;
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
