//! What the agent remembers over a restart: what it has seen even, what is not as it was, and who fights. Kept in the host's state,
//! root's alone, with nothing secret in it.
//!
//! A resource that was seen even, and differs now while nobody changed what is desired of it, was changed by somebody else: that is
//! **drift**. One that was never seen even as it is desired now differs because somebody wants it so: an **intended change**.

use crate::breaker::Breaker;
use agent::state::StateDir;
use model::{Digest, Failure, Id, Node};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The agent's folder in the host's state.
pub const FOLDER: &str = "agent";

const NAME: &str = "agent/memory";

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Resources that were seen even, with what was desired of them then.
    even: BTreeMap<Id, String>,
    /// What is not as it was.
    pub drift: BTreeMap<Id, Drift>,
    /// Who was corrected lately.
    pub breaker: Breaker,
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

/// Why a resource differs from what is desired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Somebody else changed it.
    Drift,
    /// What is desired of it changed.
    Intended,
}

impl Memory {
    /// What was kept; nothing where there is nothing. What cannot be read is told and forgotten: what differs then counts as intended,
    /// and is held to the stricter rule.
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

    /// Why a node that differs does.
    pub fn because(&self, node: &Node) -> Because {
        match self.even.get(&node.id) {
            Some(known) if *known == desired(node) => Because::Drift,
            _ => Because::Intended,
        }
    }

    /// The node is as desired.
    pub fn is_even(&mut self, node: &Node) {
        self.drift.remove(&node.id);
        let desired = desired(node);
        if self.even.get(&node.id) != Some(&desired) {
            self.even.insert(node.id.clone(), desired);
        }
    }

    /// Forgets what is no longer in the catalog.
    pub fn keep(&mut self, has: impl Fn(&Id) -> bool) {
        self.even.retain(|id, _| has(id));
        self.drift.retain(|id, _| has(id));
    }
}

/// What is desired of a node, in few characters. A secret is known by its name alone.
fn desired(node: &Node) -> String {
    let mut hex = Digest::of(node.params.to_string().as_bytes()).to_string();
    hex.truncate(16);
    hex
}

#[cfg(test)]
mod tests {
    use super::{Because, Memory};
    use agent::state::StateDir;
    use model::{Common, Id, Node};
    use serde_json::json;

    fn node(content: &str) -> Node {
        let (id, params) = (Id::new("file", "/a"), json!({ "content": content }));
        Node { id, origins: Vec::new(), params, common: Common::default() }
    }

    #[test]
    fn drift_is_told_from_what_is_intended() {
        let mut memory = Memory::default();
        assert_eq!(memory.because(&node("one")), Because::Intended, "never seen even");
        memory.is_even(&node("one"));
        assert_eq!(memory.because(&node("one")), Because::Drift);
        assert_eq!(memory.because(&node("two")), Because::Intended);
        memory.keep(|_| false);
        assert_eq!(memory.because(&node("one")), Because::Intended);
    }

    #[test]
    fn it_outlives_a_restart_and_damage_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make_folder(super::FOLDER).unwrap();
        assert_eq!(Memory::read(&state).unwrap(), (Memory::default(), None));
        let mut memory = Memory::default();
        memory.is_even(&node("one"));
        memory.write(&state).unwrap();
        assert_eq!(Memory::read(&state).unwrap(), (memory, None));
        state.write("agent/memory", b"{").unwrap();
        let (memory, why) = Memory::read(&state).unwrap();
        assert!(memory == Memory::default() && why.unwrap().contains("damaged"));
    }
}
