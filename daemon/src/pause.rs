//! A pause of the agent: somebody's word that it is to change nothing for a while. It stands in the host's state, so that a restart
//! does not end it, and it ends by itself. What people push meanwhile is not its business: `keel lock` is. How it is put and ended
//! is `agent`'s, which is there on hosts that are reached over SSH.

use crate::report::What;
use crate::schedule::whole_seconds;
use agent::state::StateDir;
use agent::work::keeping::{PAUSE as NAME, end_of};
use jiff::Timestamp;
use model::Failure;
pub use wire::Pause;

/// True where it has ended by this time, in seconds since 1970. One whose end cannot be told is on.
pub fn is_over(pause: &Pause, now: u64) -> bool {
    let now = Timestamp::from_second(i64::try_from(now).unwrap_or(i64::MAX));
    matches!((end_of(pause), now), (Some(until), Ok(now)) if now >= until)
}

/// When it ends, for people.
pub fn until(pause: &Pause) -> String {
    end_of(pause).map_or_else(|| "an unknown time".to_owned(), |until| format!("{until:.0}"))
}

/// The pause in words, with who and why.
pub fn words(pause: &Pause) -> String {
    format!("paused by {} until {}: {}", pause.by, until(pause), pause.reason)
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
    end_of(&pause).ok_or_else(|| damaged("it has no end".to_owned()))?;
    Ok((!is_over(&pause, now)).then_some(pause))
}

/// The pause, as the agent knows of it.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// By when it has ended, in seconds since 1970; `None` where there is none.
    until: Option<u64>,
}

impl Standing {
    /// True while the agent is paused.
    pub(crate) fn is_on(&self) -> bool {
        self.until.is_some()
    }

    /// By when it has ended.
    pub(crate) fn until(&self) -> Option<u64> {
        self.until
    }

    /// Looks whether somebody paused the agent, or had it go on; what there is to tell of that.
    pub(crate) fn look(&mut self, state: &StateDir, now: u64) -> Option<What> {
        match read(state, now) {
            Ok(None) => self.until.take().map(|_| What::Resumed),
            Ok(Some(pause)) => {
                let until = end_of(&pause).map_or(u64::MAX, whole_seconds);
                let before = self.until.replace(until);
                (before != Some(until)).then(|| What::Paused { words: words(&pause) })
            }
            // One that cannot be told ends when it can.
            Err(failure) => {
                let before = self.until.replace(u64::MAX >> 1);
                before.is_none().then(|| What::Paused { words: failure.to_string() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NAME, Pause, Standing, read, words};
    use crate::report::What;
    use agent::state::StateDir;
    use agent::work::keeping::{end_pause as end, put_pause as put};

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
        assert_eq!(words(&pause()), "paused by ann@laptop until 2026-01-02T14:00:00Z: upgrade");
    }

    #[test]
    fn what_cannot_be_read_pauses_and_what_says_nothing_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        put(&state, &pause()).unwrap();
        state.write(NAME, b"{").unwrap();
        assert!(read(&state, NOON).unwrap_err().to_string().contains("damaged"));
        for reason in ["", "a\nb"] {
            assert!(put(&state, &Pause { reason: reason.to_owned(), ..pause() }).is_err());
        }
        for seconds in [0, u64::MAX, 1 << 50] {
            assert!(put(&state, &Pause { seconds, ..pause() }).is_err(), "{seconds}");
        }
    }

    #[test]
    fn it_is_told_when_it_begins_and_ends_and_not_in_between() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        let mut standing = Standing::default();
        assert_eq!((standing.look(&state, NOON), standing.is_on()), (None, false));
        put(&state, &pause()).unwrap();
        assert_eq!(standing.look(&state, NOON), Some(What::Paused { words: words(&pause()) }));
        assert_eq!((standing.look(&state, NOON + 1), standing.until()), (None, Some(NOON + 7200)));
        end(&state).unwrap();
        assert_eq!((standing.look(&state, NOON), standing.is_on()), (Some(What::Resumed), false));
        assert_eq!(standing.look(&state, NOON), None);
        put(&state, &pause()).unwrap();
        state.write(NAME, b"{").unwrap();
        assert!(
            matches!(standing.look(&state, NOON), Some(What::Paused { words }) if words.contains("damaged"))
        );
        assert_eq!((standing.look(&state, NOON), standing.is_on()), (None, true));
    }

    #[test]
    fn who_wakes_by_its_end_finds_it_over() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        put(&state, &Pause { since: "2026-01-02T12:00:00.844Z".to_owned(), ..pause() }).unwrap();
        let mut standing = Standing::default();
        standing.look(&state, NOON);
        assert_eq!(standing.until(), Some(NOON + 7201));
        assert_eq!(standing.look(&state, NOON + 7201), Some(What::Resumed));
    }
}
