//! A pause of the agent: somebody's word that it is to change nothing for a while. It stands in the host's state, so that a restart
//! does not end it, and it ends by itself. What people push meanwhile is not its business: `keel lock` is.

use agent::state::StateDir;
use jiff::{SignedDuration, Timestamp};
use model::Failure;
use serde::{Deserialize, Serialize};

/// Where it stands, in the host's state.
pub const NAME: &str = agent::work::keeping::PAUSE;

/// The folder of it: another one than that of what the agent writes itself, so that it does not wake itself up.
pub const FOLDER: &str = "orders";

/// Longest text, in bytes.
const LONGEST: usize = 1000;

/// The agent changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who wants that.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when, RFC 3339 in UTC.
    pub since: String,
    /// For how many seconds.
    pub seconds: u64,
}

impl Pause {
    /// When it ends; `None` where that cannot be told.
    pub fn until(&self) -> Option<Timestamp> {
        let since: Timestamp = self.since.parse().ok()?;
        since.checked_add(SignedDuration::from_secs(i64::try_from(self.seconds).ok()?)).ok()
    }

    /// True where it has ended by this time, in seconds since 1970. One whose end cannot be told is on.
    pub fn is_over(&self, now: u64) -> bool {
        let now = Timestamp::from_second(i64::try_from(now).unwrap_or(i64::MAX));
        matches!((self.until(), now), (Some(until), Ok(now)) if now >= until)
    }

    /// The same in words, with who and why.
    pub fn words(&self) -> String {
        let until = self.until().map_or_else(|| "an unknown time".to_owned(), |until| format!("{until:.0}"));
        format!("paused by {} until {until}: {}", self.by, self.reason)
    }
}

/// The pause that is on at this time, in seconds since 1970; `None` where there is none.
///
/// # Errors
/// It cannot be told; then nothing may be changed.
pub fn read(state: &StateDir, now: u64) -> Result<Option<Pause>, Failure> {
    let Some(bytes) = state.read(NAME)?.filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
    let damaged = |why: String| {
        let text = format!("{} is damaged: {why}", state.root().join(NAME).display());
        Failure::refused(text, "`keel agent resume` removes it")
    };
    let pause: Pause = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    pause.until().ok_or_else(|| damaged("it has no end".to_owned()))?;
    Ok((!pause.is_over(now)).then_some(pause))
}

/// Puts one, in place of another.
///
/// # Errors
/// It says too little, or could not be written.
pub fn put(state: &StateDir, pause: &Pause) -> Result<(), Failure> {
    for (what, text) in [("name", &pause.by), ("reason", &pause.reason)] {
        if text.trim().is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
            let why = format!("the {what} of the pause is no line of text");
            return Err(Failure::refused(why, format!("say it in one line of at most {LONGEST} bytes")));
        }
    }
    state.make_folder(FOLDER)?;
    let bytes = serde_json::to_vec(pause).map_err(|error| Failure::io("describe", NAME, error))?;
    state.write(NAME, &bytes)
}

/// Ends it, where there is one.
///
/// # Errors
/// It could not be written.
pub fn end(state: &StateDir) -> Result<(), Failure> {
    state.make_folder(FOLDER)?;
    state.write(NAME, b"")
}

#[cfg(test)]
mod tests {
    use super::{Pause, end, put, read};
    use agent::state::StateDir;

    fn pause() -> Pause {
        let text = str::to_owned;
        Pause {
            by: text("ann@laptop"),
            reason: text("upgrade"),
            since: text("2026-01-02T12:00:00Z"),
            seconds: 7200,
        }
    }

    /// Seconds since 1970 of that noon.
    const NOON: u64 = 1_767_355_200;

    #[test]
    fn it_lasts_and_ends_by_itself_or_when_it_is_told_to() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        assert_eq!(read(&state, NOON).unwrap(), None);
        put(&state, &pause()).unwrap();
        for (now, lasts) in [(NOON, true), (NOON + 7199, true), (NOON + 7200, false), (NOON - 60, true)] {
            assert_eq!(read(&state, now).unwrap().is_some(), lasts, "{now}");
        }
        end(&state).unwrap();
        assert_eq!(read(&state, NOON).unwrap(), None);
        assert_eq!(pause().words(), "paused by ann@laptop until 2026-01-02T14:00:00Z: upgrade");
    }

    #[test]
    fn what_cannot_be_read_pauses_and_what_says_nothing_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        put(&state, &pause()).unwrap();
        state.write(super::NAME, b"{").unwrap();
        assert!(read(&state, NOON).unwrap_err().to_string().contains("damaged"));
        for reason in ["", "a\nb"] {
            assert!(put(&state, &Pause { reason: reason.to_owned(), ..pause() }).is_err());
        }
    }
}
