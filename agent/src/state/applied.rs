//! What is desired of a resource, in few bytes: by what the ledger keeps of it, a difference that somebody else made is told from one that is
//! intended. It decides nothing about a host.

use super::StateDir;
use model::{Digest, Failure, Node, NodeStatus, Secrets, holds_secret};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the key of such digests is for; the host's key has other uses.
const PURPOSE: &[u8] = b"what is desired of a resource that holds a secret";

/// The first bytes of a digest of a resource's keys. Of one that holds a secret it is an HMAC under a key that never leaves the host, so
/// that nobody elsewhere can try what the secret may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired(u64);

/// How a node is after a run, or a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// As desired, and known to be so.
    Even,
    /// Nobody touched it.
    Left,
    /// It was tried, and not all of it was done.
    Failed,
}

impl After {
    /// After a run that it ended so in.
    pub fn of(status: NodeStatus) -> Self {
        match status {
            NodeStatus::Unchanged | NodeStatus::Changed | NodeStatus::Refreshed => Self::Even,
            NodeStatus::LeftOut | NodeStatus::Skipped | NodeStatus::Unknown => Self::Left,
            NodeStatus::Failed => Self::Failed,
        }
    }
}

/// Tells what is desired of nodes.
pub struct Applied<'a> {
    secrets: &'a Secrets,
    key: Option<[u8; 32]>,
}

impl<'a> Applied<'a> {
    /// To compare with what was kept: writes nothing. Where the host has no key yet, nothing secret was kept.
    ///
    /// # Errors
    /// The host's key cannot be read.
    pub fn known(state: &StateDir, secrets: &'a Secrets) -> Result<Self, Failure> {
        let key = if secrets.is_empty() { None } else { state.store().known_key()? };
        Ok(Self::under(secrets, key))
    }

    /// To be kept: makes the host's key, where it is needed.
    ///
    /// # Errors
    /// The host's key cannot be had.
    pub fn to_keep(state: &StateDir, secrets: &'a Secrets) -> Result<Self, Failure> {
        let key = if secrets.is_empty() { None } else { Some(state.store().key()?) };
        Ok(Self::under(secrets, key))
    }

    /// Under this key, as the host has it; `None` where nothing secret can be told.
    pub fn under(secrets: &'a Secrets, key: Option<[u8; 32]>) -> Self {
        let key = key.map(|key| *Digest::keyed(&key, PURPOSE).bytes());
        Self { secrets, key }
    }

    /// What is desired of the node; `None` where that cannot be told.
    pub fn of(&self, node: &Node) -> Option<Desired> {
        let is_secret = holds_secret(&node.params);
        let params = node.resolved(self.secrets).ok()?;
        let mut bytes = Vec::with_capacity(512);
        flatten(&params, &mut bytes);
        let digest = match (is_secret, self.key) {
            (false, _) => Digest::of(&bytes),
            // The same secret in two resources is not to be known by that.
            (true, Some(key)) => {
                Digest::keyed(&key, &[node.id.to_string().as_bytes(), b"\0", &bytes].concat())
            }
            (true, None) => return None,
        };
        let (first, _) = digest.bytes().split_first_chunk().expect("a digest has 32 bytes");
        Some(Desired(u64::from_be_bytes(*first)))
    }
}

/// The bytes of a value, which no other value has: each begins with its type, and says its length where it has one.
fn flatten(value: &Value, bytes: &mut Vec<u8>) {
    let counted = |bytes: &mut Vec<u8>, tag: u8, length: usize| {
        bytes.push(tag);
        bytes.extend_from_slice(&(length as u64).to_le_bytes());
    };
    match value {
        Value::Null => bytes.push(b'n'),
        Value::Bool(false) => bytes.push(b'f'),
        Value::Bool(true) => bytes.push(b't'),
        Value::Number(number) => {
            let text = number.to_string();
            counted(bytes, b'#', text.len());
            bytes.extend_from_slice(text.as_bytes());
        }
        Value::String(text) => {
            counted(bytes, b's', text.len());
            bytes.extend_from_slice(text.as_bytes());
        }
        Value::Array(items) => {
            counted(bytes, b'a', items.len());
            items.iter().for_each(|item| flatten(item, bytes));
        }
        Value::Object(map) => {
            counted(bytes, b'o', map.len());
            for (key, value) in map {
                counted(bytes, b'k', key.len());
                bytes.extend_from_slice(key.as_bytes());
                flatten(value, bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{After, Applied, Desired};
    use crate::state::{Ledger, StateDir};
    use model::{Because, Catalog, Common, Id, Node, Secrets};
    use serde_json::json;

    fn node(content: serde_json::Value) -> Node {
        let (id, params) = (Id::new("file", "/a"), json!({ "content": content }));
        Node { id, origins: Vec::new(), params, common: Common::default() }
    }

    fn plain(content: &str) -> (Catalog, Option<Desired>) {
        let node = node(json!(content));
        let desired = Applied::under(&Secrets::default(), None).of(&node);
        (Catalog::new(vec![node], Vec::new()).unwrap(), desired)
    }

    /// Of the resource, in `scope`, where `desired` is desired of it now.
    fn because(ledger: &Ledger, scope: &str, desired: Option<Desired>) -> Because {
        ledger.because(scope, &Id::new("file", "/a"), desired)
    }

    fn take_up(ledger: &mut Ledger, (scope, catalog): (&str, &Catalog), after: After) {
        ledger.update(scope, (catalog, &[]), (&[after], &Applied::under(&Secrets::default(), None)));
    }

    #[test]
    fn drift_is_told_from_what_is_intended() {
        let mut ledger = Ledger::default();
        let ((one, first), (two, second)) = (plain("one"), plain("two"));
        assert_eq!(because(&ledger, "s", first), Because::Intended, "never applied");
        take_up(&mut ledger, ("s", &one), After::Even);
        assert_eq!(because(&ledger, "s", first), Because::Drift);
        assert_eq!(because(&ledger, "s", second), Because::Intended);
        assert_eq!(because(&ledger, "s", None), Because::Unknown, "it cannot be told");
        take_up(&mut ledger, ("s", &two), After::Left);
        assert_eq!(because(&ledger, "s", first), Because::Drift, "the other one was not begun");
        take_up(&mut ledger, ("s", &one), After::Failed);
        assert_eq!(because(&ledger, "s", first), Because::Drift, "it was to be repaired");
        take_up(&mut ledger, ("s", &two), After::Failed);
        assert_eq!(because(&ledger, "s", first), Because::Unknown, "it is half of both");
        take_up(&mut ledger, ("s", &two), After::Even);
    }

    #[test]
    fn what_was_rolled_back_is_no_drift_until_it_is_applied_again() {
        let mut ledger = Ledger::default();
        let ((one, first), (two, second)) = (plain("one"), plain("two"));
        take_up(&mut ledger, ("s", &two), After::Even);
        ledger.roll_back([&Id::new("file", "/a")]);
        take_up(&mut ledger, ("s", &two), After::Left);
        assert_eq!(because(&ledger, "s", second), Because::RolledBack);
        assert_eq!(because(&ledger, "other", second), Because::RolledBack, "whoever wants it");
        assert_eq!(because(&ledger, "s", first), Because::Intended, "something else is desired");
        ledger.roll_back([&Id::new("file", "/a")]);
        assert_eq!(because(&ledger, "s", second), Because::RolledBack, "once is enough");
        take_up(&mut ledger, ("s", &one), After::Even);
        assert_eq!(because(&ledger, "s", second), Because::Intended, "it is wanted anew");
        take_up(&mut ledger, ("s", &two), After::Even);
        assert_eq!(because(&ledger, "s", second), Because::Drift);
    }

    #[test]
    fn what_another_catalog_applied_counts_where_this_one_never_had_it() {
        let mut ledger = Ledger::default();
        let ((one, first), (two, second)) = (plain("one"), plain("two"));
        take_up(&mut ledger, ("other", &one), After::Even);
        assert_eq!(because(&ledger, "s", first), Because::Drift);
        assert_eq!(because(&ledger, "s", second), Because::Intended);
        take_up(&mut ledger, ("s", &two), After::Even);
        assert_eq!(because(&ledger, "s", first), Because::Intended, "it is this one's by now");
    }

    #[test]
    fn an_older_ledger_is_read_and_knows_nothing() {
        let ledger = Ledger::of(br#"{"s":{"file./a":{"removal":null}}}"#.to_vec()).unwrap();
        assert_eq!(because(&ledger, "s", plain("one").1), Because::Unknown);
    }

    #[test]
    fn a_secret_that_was_rotated_is_another_and_needs_the_hosts_key() {
        let desired = |secret: &str, key| {
            let mut secrets = Secrets::default();
            let marker = secrets.keep("db".to_owned(), secret.as_bytes().to_vec());
            Applied::under(&secrets, key).of(&node(marker))
        };
        let key = Some([7; 32]);
        assert_eq!(desired("old", key), desired("old", key));
        assert_ne!(desired("old", key), desired("new", key));
        assert_ne!(desired("old", key), desired("old", Some([8; 32])));
        assert_eq!(desired("old", None), None);
    }

    #[test]
    fn looking_makes_no_key() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make().unwrap();
        let mut secrets = Secrets::default();
        let node = node(secrets.keep("db".to_owned(), b"old".to_vec()));
        assert_eq!(Applied::known(&state, &secrets).unwrap().of(&node), None);
        assert!(!state.root().join("key").exists());
        let kept = Applied::to_keep(&state, &secrets).unwrap().of(&node);
        assert!(kept.is_some());
        assert_eq!(Applied::known(&state, &secrets).unwrap().of(&node), kept);
    }
}
