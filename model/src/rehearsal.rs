//! What a rehearsal found: the true list of what a run would have changed. Nothing secret in it.

use crate::{HostPath, Report, Subject};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The outcome of a rehearsal. Lists are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// How the nodes ended.
    pub report: Report,
    /// Files, directories and links that belong to no package which changed, or that the catalog names.
    pub files: Vec<RehearsedFile>,
    /// Packages.
    pub packages: Vec<RehearsedPackage>,
    /// Users and groups.
    pub accounts: Vec<RehearsedAccount>,
    /// Units.
    pub units: Vec<RehearsedUnit>,
    /// Numbers of changed files of which nobody wants to know more, by where they are: caches, logs, package lists.
    pub folded: BTreeMap<String, u64>,
    /// What a second run right after would still change, by resource: a fault of those resources.
    pub unsettled: Vec<String>,
    /// What the rehearsal could not do as the real run would.
    pub notes: Vec<String>,
}

/// The way in which something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// It was not there.
    Added,
    /// It is there before and after.
    Changed,
    /// It is not there any more.
    Removed,
}

/// One name in the file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsedFile {
    /// Where.
    pub path: HostPath,
    /// The way in which it changes.
    pub turn: Turn,
    /// What stands there, at the end if it is there then: `file`, `directory`, `symlink`, `fifo`, …
    pub what: String,
    /// What is different, a line each, such as `mode 0644 -> 0600`.
    pub details: Vec<String>,
    /// Unified diff, of small texts that everybody may read.
    pub diff: Option<String>,
}

/// One package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsedPackage {
    /// Name, with `:arch` where that is not the host's own.
    pub name: String,
    /// Version before; `None` where it was not installed.
    pub before: Option<String>,
    /// Version after; `None` where it is not installed any more.
    pub after: Option<String>,
    /// How many of its files changed and are not listed one by one.
    pub files: u64,
}

/// One user or group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsedAccount {
    /// Which.
    pub subject: Subject,
    /// The way in which it changes.
    pub turn: Turn,
    /// What is different, a line each.
    pub details: Vec<String>,
}

/// One unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsedUnit {
    /// Its name.
    pub name: String,
    /// What would have been done to it, in order where there is one: `enabled`, `start`, ….
    pub acts: Vec<String>,
}

impl Rehearsal {
    /// True where the run would change nothing, apart from caches and logs.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.packages.is_empty() && self.accounts.is_empty() && self.units.is_empty()
    }
}
