//! The name of a resource, `kind.name`, the same everywhere: in TOML, plans, journals and reports.

use serde::{Deserialize, Serialize};
use std::fmt;

/// `kind.name`, such as `file./etc/motd`; a label of a module is `exec.nginx/reload`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Id {
    kind: String,
    name: String,
}

impl Id {
    /// An id of its two parts. The kind never holds a dot; the name may hold anything.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), name: name.into() }
    }

    /// Splits `kind.name` at its first dot; `None` where either part is missing.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('.')?;
        (!kind.is_empty() && !name.is_empty()).then(|| Self::new(kind, name))
    }

    /// The kind, such as `file`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The name within the kind, such as `/etc/motd`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.name)
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for Id {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no resource id: expected kind.name"))
    }
}
