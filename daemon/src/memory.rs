//! What the agent remembers over a restart: what is not as it was, and who fights. Kept in the host's state, root's alone, with nothing
//! secret in it. Which difference is drift, the host's ledger tells.

use crate::breaker::Breaker;
use agent::state::StateDir;
use model::{Failure, Id};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The agent's folder in the host's state.
pub const FOLDER: &str = "agent";

const NAME: &str = "agent/memory";

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// What is not as it was.
    pub drift: BTreeMap<Id, Drift>,
    /// Who was corrected lately.
    pub breaker: Breaker,
    /// Who is left alone, because somebody fights over it.
    pub fights: BTreeMap<Id, OpenFight>,
}

/// A resource that somebody else changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// When that was noticed, RFC 3339 in UTC.
    pub since: String,
    /// What would bring it back, a line each.
    pub changes: Vec<String>,
    /// Why it is left so.
    pub left: String,
}

/// A fight that is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenFight {
    /// Until when the resource is left alone, RFC 3339 in UTC.
    pub until: String,
    /// What is known of the other side.
    pub other: String,
}

impl Memory {
    /// What was kept; nothing where there is nothing. What cannot be read is told and forgotten.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn read(state: &StateDir) -> Result<(Self, Option<String>), Failure> {
        let Some(bytes) = state.read(NAME)? else { return Ok((Self::default(), None)) };
        Ok(match serde_json::from_slice(&bytes) {
            Ok(memory) => (memory, None),
            Err(error) => (Self::default(), Some(format!("what the agent remembers is damaged: {error}"))),
        })
    }

    /// Keeps it.
    ///
    /// # Errors
    /// It could not be written.
    pub fn write(&self, state: &StateDir) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(self).map_err(|error| Failure::io("describe", NAME, error))?;
        state.write(NAME, &bytes)
    }

    /// Forgets what is no longer in the catalog.
    pub fn keep(&mut self, has: impl Fn(&Id) -> bool) {
        self.drift.retain(|id, _| has(id));
        self.fights.retain(|id, _| has(id));
    }
}

#[cfg(test)]
mod tests {
    use super::{Drift, Memory};
    use agent::state::StateDir;
    use model::Id;

    fn drifted(id: &str) -> Memory {
        let drift = Drift { since: "2026-01-02T00:00:00Z".into(), changes: Vec::new(), left: "x".into() };
        Memory { drift: [(Id::new("file", id), drift)].into(), ..Memory::default() }
    }

    #[test]
    fn what_left_the_catalog_is_forgotten() {
        let mut memory = drifted("/a");
        memory.keep(|id| id.name() == "/a");
        assert_eq!(memory, drifted("/a"));
        memory.keep(|_| false);
        assert_eq!(memory, Memory::default());
    }

    #[test]
    fn it_outlives_a_restart_and_damage_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make_folder(super::FOLDER).unwrap();
        assert_eq!(Memory::read(&state).unwrap(), (Memory::default(), None));
        let memory = drifted("/a");
        memory.write(&state).unwrap();
        assert_eq!(Memory::read(&state).unwrap(), (memory, None));
        state.write("agent/memory", b"{").unwrap();
        let (memory, why) = Memory::read(&state).unwrap();
        assert!(memory == Memory::default() && why.unwrap().contains("damaged"));
    }
}
