//! The subject `package`: what dpkg says of a package.

use super::ground::Ground;
use super::subject::Subject;
use crate::kind::Listed;
use crate::system::{PackageStatus, compare_versions};
use model::{Failure, Problem, Shortfall};
use schemars::JsonSchema;
use serde::Deserialize;
use std::cmp::Ordering;

/// A package of dpkg. `package = "nginx"` is short for `package = { name = "nginx" }`: it is installed, all of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name, `nginx` or `nginx:arm64`.
    name: String,
    /// Whether it is installed.
    #[serde(default = "yes")]
    installed: bool,
    /// Just this version.
    version: Option<String>,
    /// This version or a later one, by the order of Debian's policy.
    at_least: Option<String>,
}

fn yes() -> bool {
    true
}

impl Listed for Package {
    const NAME: &'static str = "package";
    const SHORT: &'static str = "name";
    const EXAMPLE: &'static str = "[check.openssl-is-fixed]\npackage = { name = \"openssl\", at_least = \"3.0.14-1~deb12u2\" }\n\n[check.no-telnetd]\npackage = { name = \"telnetd\", installed = false }\n";

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.installed && (self.version.is_some() || self.at_least.is_some()) {
            let message = "what is not installed has no version";
            problems.push(Problem::at("installed", message).help("leave one of the two out"));
        }
        if self.version.is_some() && self.at_least.is_some() {
            problems.push(Problem::at("at_least", "`version` says all").help("leave one of the two out"));
        }
        problems
    }
}

impl Subject for Package {
    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure> {
        let name = &self.name;
        let found = ground.system()?.package(name)?;
        let installed = found.as_ref().filter(|package| package.status == PackageStatus::Installed);
        let seen = match &found {
            Some(package) if package.status == PackageStatus::Installed => {
                format!("version {}", package.version)
            }
            Some(package) => format!("it {}", words(package.status)),
            None => "no such package".to_owned(),
        };
        let is_there = found.as_ref().is_some_and(|it| it.status != PackageStatus::ConfigFiles);
        let Some(package) = installed.filter(|_| self.installed) else {
            let is_so = !self.installed && !is_there;
            let wanted = if self.installed { "installed" } else { "not installed" };
            return Ok(if is_so { Vec::new() } else { vec![Shortfall::new(name, wanted, seen)] });
        };
        let same = |wanted: &String| compare_versions(&package.version, wanted);
        if let Some(version) = self.version.as_ref().filter(|it| same(it) != Ordering::Equal) {
            return Ok(vec![Shortfall::new(name, format_args!("version {version}"), seen)]);
        }
        if let Some(version) = self.at_least.as_ref().filter(|it| same(it) == Ordering::Less) {
            return Ok(vec![Shortfall::new(name, format_args!("version {version} or later"), seen)]);
        }
        Ok(Vec::new())
    }
}

fn words(status: PackageStatus) -> &'static str {
    match status {
        PackageStatus::ConfigFiles => "is removed, but for its configuration",
        PackageStatus::HalfInstalled => "is half installed",
        PackageStatus::Unpacked => "is not configured",
        PackageStatus::HalfConfigured => "is half configured",
        PackageStatus::TriggersAwaited | PackageStatus::TriggersPending => "has triggers to be run",
        PackageStatus::Installed => "is installed",
    }
}
