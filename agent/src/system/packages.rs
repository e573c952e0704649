//! Packages, as dpkg's status file and the package sources have them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

impl PackageStatus {
    /// What is left to be done; nothing where that is for nobody but a user to say.
    fn lacks(self) -> Option<&'static str> {
        match self {
            Self::HalfInstalled => Some("half installed"),
            Self::Unpacked => Some("not configured"),
            Self::HalfConfigured => Some("half configured"),
            Self::TriggersAwaited | Self::TriggersPending => Some("with triggers to be run"),
            Self::ConfigFiles | Self::Installed => None,
        }
    }
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

/// Every package of which something is left to be done, in words.
pub fn cut_off(packages: &BTreeMap<String, Package>) -> Vec<String> {
    let words = |(name, package): (&String, &Package)| Some(format!("{name} {}", package.status.lacks()?));
    packages.iter().filter_map(words).collect()
}

/// What was left where dpkg itself came to an end: by an apt that was killed before it had all of it configured. Where a script
/// failed, what waits for it is as that left it.
pub fn left_over(packages: &BTreeMap<String, Package>) -> Vec<String> {
    use PackageStatus::{HalfConfigured, HalfInstalled};
    let failed = |package: &Package| matches!(package.status, HalfConfigured | HalfInstalled);
    if packages.values().any(failed) { Vec::new() } else { cut_off(packages) }
}
