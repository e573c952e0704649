//! Checks: what is asked of a host from outside of its catalog, and what was found. Plain data; who looks is in `agent::checks`.

use crate::{KindInfo, Origin};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One check of one host, compiled: nothing in it is a template any more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckSpec {
    /// Its name; of a module `INSTANCE/NAME`.
    pub name: String,
    /// What it looks at, such as `http`.
    pub subject: String,
    /// The subject's own keys.
    pub params: serde_json::Value,
    /// What it is for, in the user's words.
    #[serde(default)]
    pub doc: String,
    /// For so many seconds it is tried again where it has not passed; 0 is once.
    #[serde(default)]
    pub within: u64,
    /// So many seconds one try may take.
    pub timeout: u64,
    /// Where it is looked from.
    #[serde(default)]
    pub from: CheckSide,
    /// What it means to a monitor where it does not pass.
    #[serde(default)]
    pub severity: CheckSeverity,
    /// Where it is written.
    pub origin: Origin,
}

/// Where a check is looked from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckSide {
    /// From the host itself.
    #[default]
    Host,
    /// From where `keel` runs, against the host's address.
    Keel,
}

/// What a check means to a monitor. Everywhere else one that does not pass has failed, whatever it is to a monitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckSeverity {
    /// Somebody should look when there is time.
    Warning,
    /// Somebody has to look now.
    #[default]
    Critical,
}

/// How a check ended. The order is that of severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckEnd {
    /// It is known to be as wanted.
    Passed,
    /// It could not be told, which is never to have passed.
    #[default]
    Unknown,
    /// It is known not to be as wanted.
    Failed,
}

impl fmt::Display for CheckEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        })
    }
}

/// What became of a check. Texts hold no control characters but newlines and tabs, and are capped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name.
    pub name: String,
    /// How it ended: the end of its last try.
    pub end: CheckEnd,
    /// In what it is not as wanted; empty unless it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortfalls: Vec<Shortfall>,
    /// Why it could not be told; empty unless it could not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub because: String,
    /// How often it was tried.
    pub tries: u32,
    /// How long that took, from the first try to the end of the last one, in milliseconds.
    pub millis: u64,
}

/// One thing that is not as wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortfall {
    /// The key that wants it, such as `status`.
    pub what: String,
    /// What is wanted.
    pub wanted: String,
    /// What was seen in its place.
    pub seen: String,
}

impl Shortfall {
    /// One thing that is not as wanted.
    pub fn new(what: &str, wanted: impl fmt::Display, seen: impl fmt::Display) -> Self {
        Self { what: what.to_owned(), wanted: wanted.to_string(), seen: seen.to_string() }
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: wanted {}, saw {}", self.what, self.wanted, self.seen)
    }
}

/// A subject of checks, as the compiler and the documentation see it.
pub trait SubjectInfo: KindInfo {
    /// The key that a value stands for that is no table: `port = 80` is `port = { number = 80 }`.
    fn short(&self) -> &'static str;
    /// From where it can be looked at, given its keys; the usual side comes first.
    fn sides(&self, params: &serde_json::Value) -> &'static [CheckSide];
}
