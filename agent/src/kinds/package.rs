//! The kind `package`: decides what is to become of a package. The engine merges what it decides into one transaction.

use crate::kind::{Class, Kind};
use crate::system::{Candidates, Package as Found, PackageStatus, System, compare_versions};
use model::{
    Because, Claim, Failure, Op, PackageAction, PackageChange, Presence, Problem, Step, Thing, Transaction,
    Val,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// A package of the host's package manager. The name may carry an architecture, `libc6:i386`. What satisfies the
/// resource is left as it is: an installed package is upgraded only for `ensure = "latest"` or for a `version` that it
/// does not have. A name that an installed package provides (a virtual package) counts as installed. A package that an
/// interrupted run left half installed is repaired. Where the package manager itself was interrupted, in whatever package, it is
/// first brought to its end, with the configuration files that are there. Where the host has no package lists yet they are fetched first.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    #[schemars(skip)]
    name: String,
    /// What is to become of the package.
    #[serde(default)]
    ensure: Ensure,
    /// The version to have: exactly as the package manager prints it, epoch and revision included
    /// (`"1.22.1-9+deb12u1"`), or the beginning of it with `*` (`"1.22.*"`, `"5:24.0.*"`). A version that matches is
    /// left as it is; else the highest on offer that matches is installed. It holds nothing: see `hold`.
    version: Option<String>,
    /// `true` keeps the package at its version whoever upgrades, `false` releases it; left out, a hold stays as it is.
    /// To reach a `version` a held package is released and held again. `ensure = "latest"` passes by a package that is
    /// held unless `hold` is said.
    hold: Option<bool>,
    /// Whether recommended packages are installed with it. Left out, the host's own setting decides.
    recommends: Option<bool>,
    /// The release to take it from, such as `"bookworm-backports"`. Left out, the host's priorities decide.
    release: Option<String>,
    /// Further options of the package manager, a word each, such as `["-oDPkg::Options::=--force-confnew"]`.
    #[serde(default)]
    options: Vec<String>,
    /// Whether a `version` lower than the installed one may be installed.
    #[serde(default)]
    allow_downgrade: bool,
}

/// What is to become of a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Ensure {
    /// Installed, at whatever version.
    #[default]
    Present,
    /// Installed, at the version that the package sources offer now; with a `version` of `*`, the highest that matches.
    Latest,
    /// Not installed; configuration may be left.
    Absent,
    /// Not installed, and no configuration left.
    Purged,
}

/// What was found.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    /// The package as dpkg has it.
    package: Option<Found>,
    /// Installed packages that provide the name, asked for where the package itself is not there.
    providers: Vec<String>,
    /// What the sources offer, asked for where it matters.
    offered: Option<Candidates>,
    /// What an interrupted package manager left to be finished.
    unfinished: Vec<String>,
}

impl Seen {
    /// The package, where all of it is there. Pending triggers are run by the next transaction, whatever it is.
    fn whole(&self) -> Option<&Found> {
        let is_whole = |package: &&Found| {
            use PackageStatus::{Installed, TriggersAwaited, TriggersPending};
            matches!(package.status, Installed | TriggersAwaited | TriggersPending)
        };
        self.package.as_ref().filter(is_whole)
    }

    /// The package, where some of it is there.
    fn unpacked(&self) -> Option<&Found> {
        self.package.as_ref().filter(|package| package.status != PackageStatus::ConfigFiles)
    }

    fn held(&self) -> bool {
        self.package.as_ref().is_some_and(|package| package.held)
    }

    fn version(&self) -> Val {
        let Some(package) = &self.package else { return Val::Absent };
        let version = &package.version;
        match package.status {
            PackageStatus::ConfigFiles => Val::Absent,
            PackageStatus::HalfInstalled => format!("{version} (half installed)").into(),
            PackageStatus::Unpacked => format!("{version} (not configured)").into(),
            PackageStatus::HalfConfigured => format!("{version} (half configured)").into(),
            _ => version.clone().into(),
        }
    }
}

impl Kind for Package {
    const NAME: &'static str = "package";
    const CLASS: Class = Class::Packages;
    const EXAMPLE: &'static str = r#"[package.nginx]

[package.postgresql-15]
version    = "15.*"
hold       = true
recommends = false

[package.telnetd]
ensure = "purged"
"#;
    type Seen = Seen;

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !is_name(&self.name) {
            let message = format!("`{}` is no package name", self.name.escape_debug());
            let help = "a name has two or more of a-z, 0-9, `+`, `-` and `.`, the first a letter or digit; `:` and an architecture may follow";
            problems.push(Problem::whole(message).help(help));
        }
        if matches!(self.ensure, Ensure::Absent | Ensure::Purged) {
            let pointless = [("version", self.version.is_some()), ("hold", self.hold == Some(true))];
            for (key, _) in pointless.iter().filter(|(_, given)| *given) {
                problems.push(
                    Problem::at(key, "a package that is not to be installed has none").help("leave it out"),
                );
            }
        }
        problems.extend(self.version.as_deref().and_then(|version| check_version(version, self.ensure)));
        let odd = |word: &str| word.is_empty() || word.starts_with('-') || word.contains(char::is_whitespace);
        if self.release.as_deref().is_some_and(odd) {
            let problem = Problem::at("release", "this is no name of a release");
            problems.push(problem.help("write its suite or codename, such as \"bookworm-backports\""));
        }
        if self.options.iter().any(|option| !option.starts_with('-') || option.trim_matches('-').is_empty()) {
            let problem = Problem::at("options", "each option starts with `-`");
            problems.push(problem.help(
                "write an option and its value as one word, such as \"-oAPT::Get::Trivial-Only=true\"",
            ));
        }
        problems
    }

    fn claims(&self) -> Vec<Claim> {
        let gone = matches!(self.ensure, Ensure::Absent | Ensure::Purged);
        let presence = if gone { Presence::Absent } else { Presence::Present };
        let name = self.name.split(':').next().unwrap_or(&self.name);
        vec![Claim { thing: Thing::Package(name.to_owned()), presence }]
    }

    fn wants(&self) -> Vec<Thing> {
        Vec::new()
    }

    fn probe(&self, system: &dyn System) -> Result<Seen, Failure> {
        let package = system.package(&self.name)?;
        let mut seen = Seen { package, unfinished: system.unfinished()?, ..Seen::default() };
        if matches!(self.ensure, Ensure::Absent | Ensure::Purged) {
            return Ok(seen);
        }
        if seen.unpacked().is_none() && self.version.is_none() {
            seen.providers = system.providers(&self.name)?;
        }
        // Asking the sources costs a process: a package that is as wanted never needs it.
        if self.is_due(&seen) || self.follows(&seen) {
            seen.offered = Some(system.candidates(&self.name, self.release.as_deref())?.as_ref().clone());
        }
        Ok(seen)
    }

    fn plan(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        let steps = match self.ensure {
            Ensure::Absent => self.rid_of(seen, seen.unpacked().is_some(), PackageAction::Remove),
            Ensure::Purged => self.rid_of(seen, seen.package.is_some(), PackageAction::Purge),
            Ensure::Present | Ensure::Latest => self.have(seen)?,
        };
        Ok(finish_first(&seen.unfinished, steps))
    }

    fn removal(&self, seen: &Seen) -> Option<Vec<Step>> {
        Some(self.rid_of(seen, seen.unpacked().is_some(), PackageAction::Remove))
    }
}

impl Package {
    fn accepts(&self, version: &str) -> bool {
        self.version.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
            Some(start) => version.starts_with(start),
            None => version == wanted,
        })
    }

    /// True where the package has to be installed whatever the sources offer.
    fn is_due(&self, seen: &Seen) -> bool {
        match seen.whole() {
            Some(package) => !self.accepts(&package.version),
            None => seen.providers.is_empty(),
        }
    }

    /// True where the sources decide whether it is upgraded.
    fn follows(&self, seen: &Seen) -> bool {
        let free = !seen.held() || self.hold.is_some();
        self.ensure == Ensure::Latest && seen.whole().is_some() && free
    }

    fn have(&self, seen: &Seen) -> Result<Vec<Step>, Failure> {
        if let (None, [provider, ..], true) =
            (seen.unpacked(), seen.providers.as_slice(), self.hold == Some(true))
        {
            let why =
                format!("`{}` is provided by {provider} and is no package that could be held", self.name);
            return Err(Failure::refused(why, format!("hold package.{provider}")));
        }
        let due = self.is_due(seen);
        if !due && !self.follows(seen) {
            return Ok(self.hold_only(seen));
        }
        let nothing = Candidates::default();
        let offered = seen.offered.as_ref().unwrap_or(&nothing);
        let version = self.choose(seen, offered)?;
        let target = version.as_ref().or(offered.candidate.as_ref());
        let now = seen.unpacked().map(|package| package.version.as_str());
        let order = target.zip(now).map(|(target, now)| compare_versions(target, now));
        let reached = match order {
            Some(Ordering::Equal) => true,
            Some(Ordering::Less) => self.version.is_some(),
            Some(Ordering::Greater) => false,
            None => target.is_none(),
        };
        // Without lists nobody knows of anything newer: the transaction fetches them.
        if !due && reached && !offered.unlisted {
            return Ok(self.hold_only(seen));
        }
        if let (Some(Ordering::Less), Some(target), Some(now), false) =
            (order, target, now, self.allow_downgrade)
        {
            let why = format!("`{}` is at {now}, and {target} is lower", self.name);
            return Err(Failure::refused(why, "set allow_downgrade = true to go down"));
        }
        let known = target.filter(|_| !offered.unlisted || version.is_some());
        let after = known.map_or_else(|| Val::from("what the sources will offer"), |it| it.clone().into());
        let install =
            self.transaction(PackageAction::Install(version)).because("version", seen.version(), after);
        // Sources that have moved on are no doing of anybody on this host.
        let install = match (due, offered.unlisted) {
            (true, _) => install,
            (false, true) => install.moved(Because::Unknown),
            (false, false) => install.moved(Because::Intended),
        };
        Ok(self.around_hold(seen, install))
    }

    /// The version to install, `None` for the candidate.
    fn choose(&self, seen: &Seen, offered: &Candidates) -> Result<Option<String>, Failure> {
        let now = seen.unpacked().map(|package| &package.version);
        let Some(wanted) = &self.version else {
            if offered.candidate.is_some() || offered.unlisted || seen.whole().is_some() {
                return Ok(None);
            }
            // Half installed, and offered no longer: the package manager can still finish what it began.
            return now.map_or_else(|| Err(self.no_candidate(offered)), |now| Ok(Some(now.clone())));
        };
        let matching = offered.versions.iter().find(|version| self.accepts(version));
        let half_there = now.filter(|version| self.accepts(version));
        match matching.or(half_there) {
            Some(version) => Ok(Some(version.clone())),
            // The package manager understands `*` itself.
            None if offered.unlisted => Ok(Some(wanted.clone())),
            None if offered.versions.is_empty() => Err(self.no_candidate(offered)),
            None => {
                let some: Vec<&str> = offered.versions.iter().take(5).map(String::as_str).collect();
                let why = format!("no package source offers version {wanted} of `{}`", self.name);
                Err(Failure::refused(why, format!("on offer: {}", some.join(", "))))
            }
        }
    }

    fn no_candidate(&self, offered: &Candidates) -> Failure {
        if !offered.providers.is_empty() {
            let why =
                format!("`{}` is a virtual package and nothing that provides it is installed", self.name);
            return Failure::refused(why, format!("name one of: {}", offered.providers.join(", ")));
        }
        let from = self.release.as_ref().map(|release| format!(" in {release}")).unwrap_or_default();
        let why = format!("no package source offers `{}`{from}", self.name);
        Failure::refused(why, "check the name, and that the source that has it is enabled")
    }

    fn transaction(&self, action: PackageAction) -> Step {
        Step::new(Op::Packages(Transaction {
            changes: vec![PackageChange { name: self.name.clone(), action }],
            recommends: self.recommends,
            release: self.release.clone(),
            options: self.options.clone(),
            allow_downgrade: self.allow_downgrade,
            held: BTreeSet::new(),
        }))
    }

    fn hold_step(&self, hold: bool) -> Step {
        let step = Step::new(Op::HoldPackage { name: self.name.clone(), hold });
        step.because("hold", (!hold).to_string(), hold.to_string())
    }

    fn hold_only(&self, seen: &Seen) -> Vec<Step> {
        let wrong = self.hold.filter(|hold| seen.whole().is_some() && *hold != seen.held());
        wrong.map(|hold| self.hold_step(hold)).into_iter().collect()
    }

    /// The package manager refuses to change what is held: the transaction releases it, and holds it again.
    fn around_hold(&self, seen: &Seen, change: Step) -> Vec<Step> {
        let wanted = self.hold.unwrap_or(seen.held());
        match (seen.held(), wanted) {
            (true, true) => vec![self.released(change)],
            (true, false) => vec![self.hold_step(false), change],
            (false, true) => vec![change, self.hold_step(true)],
            (false, false) => vec![change],
        }
    }

    fn released(&self, mut change: Step) -> Step {
        if let Op::Packages(transaction) = &mut change.op {
            transaction.held.insert(self.name.clone());
        }
        change
    }

    fn rid_of(&self, seen: &Seen, is_there: bool, action: PackageAction) -> Vec<Step> {
        if !is_there {
            return Vec::new();
        }
        let before = match seen.unpacked() {
            Some(_) => seen.version(),
            None => "only its configuration".into(),
        };
        let after = if action == PackageAction::Purge { "purged" } else { "removed" };
        let remove = self.transaction(action).because("version", before, after);
        vec![if seen.held() { self.released(remove) } else { remove }]
    }
}

/// A transaction brings an interrupted package manager to its end before anything else; where there is none, one that does only that.
fn finish_first(unfinished: &[String], mut steps: Vec<Step>) -> Vec<Step> {
    const SHOWN: usize = 5;
    if unfinished.is_empty() {
        return steps;
    }
    let is_transaction = |step: &Step| matches!(step.op, Op::Packages(_));
    let at = steps.iter().position(is_transaction).unwrap_or_else(|| {
        steps.insert(0, Step::new(Op::Packages(Transaction::default())));
        0
    });
    let mut left = unfinished[..unfinished.len().min(SHOWN)].join(", ");
    if let Some(more @ 1..) = unfinished.len().checked_sub(SHOWN) {
        left.push_str(&format!(" and {more} more"));
    }
    let step = steps.remove(at).because("interrupted", left, Val::Absent);
    steps.insert(at, step);
    steps
}

/// Debian policy 5.6.1, and an architecture.
fn is_name(name: &str) -> bool {
    let (bare, arch) = name.split_once(':').unwrap_or((name, "any"));
    let word = |text: &str, more: &str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c);
        text.chars().all(fits) && text.starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    bare.len() >= 2 && word(bare, "+-.") && word(arch, "-")
}

fn check_version(version: &str, ensure: Ensure) -> Option<Problem> {
    let (start, is_glob) = version.strip_suffix('*').map_or((version, false), |start| (start, true));
    let fits = |c: char| c.is_ascii_alphanumeric() || ".+-~:".contains(c);
    if start.is_empty() || !start.chars().all(fits) || start.starts_with('-') {
        let problem = Problem::at("version", format!("`{}` is no version", version.escape_debug()));
        return Some(problem.help("write it as the package manager prints it, or its beginning with `*` at the end, such as \"1.22.*\""));
    }
    (ensure == Ensure::Latest && !is_glob).then(|| {
        let problem =
            Problem::at("version", "an exact version and `ensure = \"latest\"` contradict each other");
        problem.help("leave out `ensure`, or end the version with `*`")
    })
}
