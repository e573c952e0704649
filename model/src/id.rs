//! The name of a resource, `kind.name`, the same everywhere: in TOML, plans, journals and reports.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// `kind.name`, such as `file./etc/motd`; a label of a module is `exec.nginx/reload`. A clone shares the text: an id goes from the
/// catalog into plans, events and ledgers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id {
    text: Arc<str>,
    /// Where the dot is.
    dot: usize,
}

impl Id {
    /// An id of its two parts. The kind never holds a dot; the name may hold anything.
    pub fn new(kind: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        let (kind, name) = (kind.as_ref(), name.as_ref());
        Self { text: [kind, ".", name].concat().into(), dot: kind.len() }
    }

    /// Splits `kind.name` at its first dot; `None` where either part is missing.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('.')?;
        (!kind.is_empty() && !name.is_empty()).then(|| Self { text: text.into(), dot: kind.len() })
    }

    /// The kind, such as `file`.
    pub fn kind(&self) -> &str {
        &self.text[..self.dot]
    }

    /// The name within the kind, such as `/etc/motd`.
    pub fn name(&self) -> &str {
        &self.text[self.dot + 1..]
    }
}

/// By kind, then by name.
impl Ord for Id {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.kind(), self.name()).cmp(&(other.kind(), other.name()))
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(IdVisitor)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resource id")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
        Id::parse(text).ok_or_else(|| E::custom(format!("`{text}` is no resource id: expected kind.name")))
    }
}
