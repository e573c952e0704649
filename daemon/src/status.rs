//! How the agent is, as it last wrote it down; and whether there is one that runs, which its lock alone tells.

use crate::memory::{Drift, Memory, OpenFight};
use crate::pause::{self, Pause};
use crate::report::Cause;
use crate::source::{Bundle, Refused};
use agent::os::lock::{Attempt, Holder, Lock, try_lock};
use agent::state::StateDir;
use agent::work::keeping::{self, LOCK, STATUS as NAME};
use model::{Failure, Id, Report};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wire::Keeping;

/// How the agent is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Where its catalog comes from.
    pub source: String,
    /// What it does about drift: `observe` or `correct`.
    pub mode: String,
    /// Version of the catalog in force; `None` while there is none.
    pub catalog: Option<String>,
    /// How many resources it has.
    pub resources: usize,
    /// Why the settings that stand there are not in force, where they are not.
    pub bad_settings: Option<String>,
    /// Why there is no newer catalog, where there should be.
    pub no_catalog: Option<String>,
    /// The bundle in force, where the catalog comes in bundles.
    pub bundle: Option<Bundle>,
    /// Why no newer one was taken, where one was refused, or none could be had.
    pub refused: Option<Refused>,
    /// The last look.
    pub last: Option<Last>,
    /// When everything is looked at next, RFC 3339 in UTC; `None` where that is somebody else's business.
    pub next: Option<String>,
    /// When anything may be changed again, where it may not now.
    pub opens: Option<String>,
    /// How many directories are watched.
    pub directories: usize,
    /// How many units are watched.
    pub units: usize,
    /// What should be watched and is not, and why: it is looked at by the schedule alone, or nobody knows who writes there.
    pub unwatched: BTreeMap<String, String>,
    /// Ways of telling that fail, and why.
    pub untold: BTreeMap<String, String>,
    /// Resources that somebody else changed, and that are left so.
    pub drift: BTreeMap<Id, Drift>,
    /// Resources of which something else is desired now, and that wait.
    pub held: BTreeMap<Id, String>,
    /// Resources that could not be told, or not be put right.
    pub failing: BTreeMap<Id, String>,
    /// Resources that are fought over, until when they are left alone, and what is known of the other side.
    pub fights: BTreeMap<Id, OpenFight>,
    /// Looks since it began.
    pub looks: u64,
    /// Corrections of drift since it began.
    pub corrections: u64,
}

/// A look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Last {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// What for.
    pub cause: Cause,
    /// The sum.
    pub report: Report,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// What kept it from its end.
    pub trouble: Option<String>,
    /// Whether that was people who locked the host.
    #[serde(default)]
    pub is_locked: bool,
}

/// What can be told of the agent of a host from outside.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// Who runs; `None` where nobody does.
    pub running: Option<Running>,
    /// The pause that is on.
    pub paused: Option<Pause>,
    /// What the agent wrote down last; `None` where none ever ran.
    pub status: Option<Status>,
}

/// A running agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Since when, RFC 3339 in UTC.
    pub since: String,
}

impl Status {
    /// Takes up what is remembered.
    pub fn recall(&mut self, memory: &Memory) {
        self.drift.clone_from(&memory.drift);
        self.fights.clone_from(&memory.fights);
    }

    /// Writes it down.
    ///
    /// # Errors
    /// It could not be written.
    pub fn write(&self, state: &StateDir) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(self).map_err(|error| Failure::io("describe", NAME, error))?;
        state.write(NAME, &bytes)
    }
}

/// Being the agent of a host, which one process at a time is.
///
/// # Errors
/// Another one is, or it cannot be told.
pub fn be_the_agent(state: &StateDir, since: &str) -> Result<Lock, Failure> {
    match attempt(state, since)? {
        Attempt::Taken(lock) => Ok(lock),
        Attempt::Held(by) => {
            let who = by.map_or_else(|why| why, |by| format!("process {}, since {}", by.pid, by.since));
            let why = format!("the agent of this host runs already: {who}");
            Err(Failure::refused(why, "`keel agent status` shows what it does"))
        }
    }
}

fn attempt(state: &StateDir, since: &str) -> Result<Attempt, Failure> {
    state.make_folder(crate::memory::FOLDER)?;
    let (pid, command) = (std::process::id(), "agent".to_owned());
    let me = Holder { pid, run: String::new(), since: since.to_owned(), command };
    Ok(try_lock(&state.root().join(LOCK), &me)?)
}

/// Writes down that nobody began, because the settings that stand there cannot be used: what the last one knew stays. Where an agent runs that is
/// for it to tell, and nothing is written.
///
/// # Errors
/// It could not be written.
pub fn write_bad_settings(state: &StateDir, why: &str, since: &str) -> Result<(), Failure> {
    let Attempt::Taken(_lock) = attempt(state, since)? else { return Ok(()) };
    let known = state.read(NAME)?.map(|bytes| serde_json::from_slice::<Status>(&bytes));
    // What is damaged says nothing, and the next one would replace it as well.
    let known = known.and_then(Result::ok);
    Status { bad_settings: Some(why.to_owned()), ..known.unwrap_or_default() }.write(state)
}

/// What can be told now; `now` is in seconds since 1970.
///
/// # Errors
/// Something cannot be read.
pub fn told(state: &StateDir, now: u64) -> Result<Told, Failure> {
    // Its own look at the pause says best what is wrong with it.
    pause::read(state, now)?;
    of(keeping::read(state)?, now)
}

/// The same of what a host has written down; `now` is in seconds since 1970.
///
/// # Errors
/// It was written down by another version, or is damaged.
pub fn of(keeping: Keeping, now: u64) -> Result<Told, Failure> {
    let unknown =
        |error: serde_json::Error| Failure::unknown("how the agent of the host is", error.to_string());
    let Keeping { running, status, pause } = keeping;
    let status = status.map(serde_json::from_value).transpose().map_err(unknown)?;
    let paused: Option<Pause> = pause.map(serde_json::from_value).transpose().map_err(unknown)?;
    let running = running.map(|(pid, since)| Running { pid, since });
    Ok(Told { running, paused: paused.filter(|one| !pause::is_over(one, now)), status })
}

#[cfg(test)]
mod tests {
    use super::{Status, be_the_agent, told, write_bad_settings};
    use agent::state::StateDir;

    #[test]
    fn running_is_told_from_not_running_whatever_was_written_down() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        assert_eq!(told(&state, 0).unwrap(), super::Told { running: None, paused: None, status: None });
        let lock = be_the_agent(&state, "2026-01-02T00:00:00Z").unwrap();
        Status::default().write(&state).unwrap();
        let running = told(&state, 0).unwrap().running.unwrap();
        assert_eq!((running.pid, running.since.as_str()), (std::process::id(), "2026-01-02T00:00:00Z"));
        let second = be_the_agent(&state, "x").unwrap_err().to_string();
        assert!(second.contains("runs already: process"), "{second}");
        drop(lock);
        let after = told(&state, 0).unwrap();
        assert!(after.running.is_none() && after.status.is_some());
    }

    #[test]
    fn that_nobody_could_begin_is_written_beside_what_was_known_and_not_for_who_runs() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        let status = || told(&state, 0).unwrap().status.unwrap();
        for (known, looks) in [(None, 0), (Some(Status { looks: 7, ..Status::default() }), 7)] {
            known.iter().for_each(|known| known.write(&state).unwrap());
            write_bad_settings(&state, "x:1:2: this is no duration", "now").unwrap();
            assert_eq!(status().bad_settings.as_deref(), Some("x:1:2: this is no duration"));
            assert_eq!((status().looks, told(&state, 0).unwrap().running), (looks, None));
        }
        state.write("agent/status", b"{").unwrap();
        write_bad_settings(&state, "why", "now").unwrap();
        assert_eq!(status().bad_settings.as_deref(), Some("why"), "in place of what was damaged");
        let _lock = be_the_agent(&state, "now").unwrap();
        write_bad_settings(&state, "another", "now").unwrap();
        assert_eq!(status().bad_settings.as_deref(), Some("why"), "it knows better");
    }
}
