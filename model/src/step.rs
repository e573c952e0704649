//! An op together with the difference that justifies it.

use crate::{Because, Op, REDACTED};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One decision of a kind: what to do, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What to do.
    pub op: Op,
    /// The fields that differ.
    pub diffs: Vec<Diff>,
    /// Why it is due, where that is not that the thing itself was altered; `None` where it is. A plan says why by node: nobody else is told.
    #[serde(skip)]
    pub moved: Option<Because>,
}

impl Step {
    /// An op without a difference yet.
    pub fn new(op: Op) -> Self {
        Self { op, diffs: Vec::new(), moved: None }
    }

    /// Adds a field that differs.
    pub fn because(mut self, field: &str, before: impl Into<Val>, after: impl Into<Val>) -> Self {
        self.diffs.push(Diff { field: field.to_owned(), before: before.into(), after: after.into() });
        self
    }

    /// Says that the thing may be as it was, and what decides about it is what moved: `Intended` where something else is desired of it by
    /// now, though by the same words, `Unknown` where that cannot be told.
    pub fn moved(mut self, because: Because) -> Self {
        self.moved = Some(because);
        self
    }
}

/// One field, as it is and as it will be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// Field name, such as `mode`.
    pub field: String,
    /// As found.
    pub before: Val,
    /// As wanted.
    pub after: Val,
}

/// A value of a diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Val {
    /// There is none.
    Absent,
    /// In words.
    Text(String),
    /// Secret: only that there is one may be said.
    Hidden,
}

impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Text(text) => f.write_str(text),
            Self::Hidden => f.write_str(REDACTED),
        }
    }
}

impl<T: fmt::Display> From<Option<T>> for Val {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, |value| Self::Text(value.to_string()))
    }
}

impl From<String> for Val {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Val {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// How far an op can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reversibility {
    /// To the very bytes.
    Exact,
    /// As far as the world allows: an old version may be gone from the archive.
    BestEffort,
    /// Not at all.
    None,
}
