//! Packages, as dpkg's status file and the package sources have them.

use serde::{Deserialize, Serialize};

/// How far a package is installed: the third word of `Status` in dpkg's status file (dpkg(1), "package states").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageStatus {
    /// Only its configuration is left, `rc`.
    ConfigFiles,
    /// Unpacking did not finish.
    HalfInstalled,
    /// Unpacked, not configured.
    Unpacked,
    /// Configuring did not finish.
    HalfConfigured,
    /// Waits for the triggers of another.
    TriggersAwaited,
    /// Has been triggered.
    TriggersPending,
    /// All of it is there.
    Installed,
}

/// A package that dpkg knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// How far it is installed.
    pub status: PackageStatus,
    /// Version, also of one of which only the configuration is left.
    pub version: String,
    /// True where it is held.
    pub held: bool,
}

/// What the package sources offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidates {
    /// The version that would be installed; `None` where there is none.
    pub candidate: Option<String>,
    /// All versions on offer, the highest first.
    pub versions: Vec<String>,
    /// Packages that provide this name, where it is virtual; sorted.
    pub providers: Vec<String>,
    /// True where the host has no package lists yet, so that finding nothing says nothing: the transaction that
    /// installs fetches them first.
    #[serde(default)]
    pub unlisted: bool,
}
