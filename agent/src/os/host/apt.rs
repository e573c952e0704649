//! Runs apt: asks for candidates, installs and removes in one transaction. Whatever fails says why in apt's own words.
//!
//! An interrupted dpkg is brought to its end first (`interrupted`), lists are fetched only where something is missing without them, and an
//! installation never removes other packages on its own account.

use super::apt_locks::{LISTS, PATIENCE, TRANSACTION, wait};
use super::apt_query::{is_unlisted, policy, providers};
use super::apt_words::{ENVIRONMENT, could_not_fetch, reason, refusal};
use super::host::{Host, locked};
use crate::os::child::{Child, Output};
use crate::system::{Attempt, Candidates, Package, PackageStatus, System, Touched};
use model::{Failure, Gather, PackageAction, PackageChange, Subject, Transaction};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// Deadline of a transaction that has none.
const LONGEST: Duration = Duration::from_secs(3600);

/// What the sources offer for each of `names`.
pub(super) fn candidates(
    names: &BTreeSet<String>,
    release: Option<&str>,
) -> Result<BTreeMap<String, Candidates>, Failure> {
    let unlisted = is_unlisted(Path::new("/var/lib/apt/lists"))?;
    let target = release.map(|release| format!("APT::Default-Release={release}"));
    let mut argv = vec!["apt-cache"];
    argv.extend(target.iter().flat_map(|target| ["-o", target.as_str()]));
    argv.extend(["policy", "--"]);
    argv.extend(names.iter().map(String::as_str));
    let told = policy(&Child::new(argv).run()?.success()?.text()?);
    let mut found = BTreeMap::new();
    for name in names {
        let mut candidates =
            told.get(name).or_else(|| told.get(bare(name))).cloned().unwrap_or(Candidates::default());
        candidates.unlisted = unlisted;
        found.insert(name.clone(), candidates);
    }
    let is_offered = |it: &Candidates| it.candidate.is_some() || !it.versions.is_empty();
    let others = found.iter().filter(|(name, it)| told.contains_key(*name) && !is_offered(it));
    let others: Vec<String> = others.map(|(name, _)| name.clone()).collect();
    if !others.is_empty() {
        let argv = ["apt-cache", "showpkg", "--"].into_iter().chain(others.iter().map(String::as_str));
        let shown = providers(&Child::new(argv).run()?.success()?.text()?);
        for name in &others {
            let providers = shown.get(name).or_else(|| shown.get(bare(name))).into_iter().flatten();
            found.entry(name.clone()).or_default().providers = providers.cloned().collect();
        }
    }
    Ok(found)
}

/// apt leaves its own architecture out of headings.
fn bare(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

impl Host<'_> {
    /// Carries out one transaction, and says which packages it changed.
    pub(super) fn change_packages(&self, it: &Transaction, attempt: &Attempt) -> Result<Touched, Failure> {
        self.forget(&model::Op::Packages(Transaction::default()));
        let before = self.all_packages()?;
        wait(&TRANSACTION, patience(attempt), &self.attendance)?;
        let unfinished = self.finish_interrupted(attempt)?;
        let done = match unfinished.clone() {
            Some(failure) if it.changes.is_empty() => Err(failure),
            None if it.changes.is_empty() => Ok(()),
            // The transaction may be what mends it.
            _ => self.released(&it.held, attempt, || self.carry_out(it, attempt)),
        };
        self.forget(&model::Op::Packages(Transaction::default()));
        done.map_err(|failure| also(failure, unfinished))?;
        Ok(changed(&before, self.all_packages()?.as_ref()))
    }

    fn carry_out(&self, it: &Transaction, attempt: &Attempt) -> Result<(), Failure> {
        if self.needs_lists(it)? {
            self.refresh(attempt)?;
        }
        self.apt_get(it, attempt)
    }

    /// Whether something is to be installed that apt would not find as it is.
    fn needs_lists(&self, it: &Transaction) -> Result<bool, Failure> {
        // What is installed from a file needs no list.
        let is_of_source = |change: &PackageChange| matches!(change.action, PackageAction::Install(_));
        if *locked(&self.refreshed) || !it.changes.iter().any(is_of_source) {
            return Ok(false);
        }
        // apt is not asked what it cannot know.
        if is_unlisted(Path::new("/var/lib/apt/lists"))? {
            return Ok(true);
        }
        for change in &it.changes {
            let PackageAction::Install(version) = &change.action else { continue };
            let offered = self.candidates(&change.name, it.release.as_deref());
            let offered = match offered {
                Ok(offered) => offered,
                // A release that the lists do not have: they may be what is missing.
                Err(Failure::Command { .. }) => return Ok(true),
                Err(failure) => return Err(failure),
            };
            let found = match version {
                Some(version) => offered.versions.contains(version),
                None => offered.candidate.is_some() || !offered.providers.is_empty(),
            };
            if !found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `apt-get update`, once.
    fn refresh(&self, attempt: &Attempt) -> Result<(), Failure> {
        wait(&LISTS, patience(attempt), &self.attendance)?;
        let output = quiet(&["apt-get", "-q", "update"], attempt).run()?;
        // It ends with 0 also where it could not fetch a single list.
        if !output.status.success() || is_unlisted(Path::new("/var/lib/apt/lists"))? {
            return Err(self.failed(&output));
        }
        *locked(&self.refreshed) = true;
        self.forget(&model::Op::Packages(Transaction::default()));
        Ok(())
    }

    fn apt_get(&self, it: &Transaction, attempt: &Attempt) -> Result<(), Failure> {
        let mut argv = argv(it, attempt);
        if self.installs_half_installed(it)? {
            // Its version is the wanted one, so that apt would leave it as it is.
            argv.insert(1, "--reinstall".to_owned());
        }
        let mut output = quiet(&argv, attempt).run()?;
        if !output.status.success()
            && could_not_fetch(&output.stderr.printable())
            && !*locked(&self.refreshed)
        {
            self.refresh(attempt)?;
            output = quiet(&argv, attempt).run()?;
        }
        if !output.status.success() {
            return Err(self.failed(&output));
        }
        // Beside installations purging was only removing; what is left of those packages goes now.
        let purged: Vec<&PackageChange> =
            it.changes.iter().filter(|change| change.action == PackageAction::Purge).collect();
        if purged.is_empty() || !installs(it) {
            return Ok(());
        }
        let changes = purged.into_iter().cloned().collect();
        let rest = Transaction { changes, options: it.options.clone(), ..Transaction::default() };
        let output = quiet(&self::argv(&rest, attempt), attempt).run()?;
        if output.status.success() { Ok(()) } else { Err(self.failed(&output)) }
    }

    /// Whether one of them was cut off while it was unpacked or removed.
    fn installs_half_installed(&self, it: &Transaction) -> Result<bool, Failure> {
        let dpkg = self.read_dpkg()?;
        let is_half = |change: &PackageChange| {
            let found = dpkg.package(&change.name);
            change.action.installs()
                && found.is_some_and(|package| package.status == PackageStatus::HalfInstalled)
        };
        Ok(it.changes.iter().any(is_half))
    }

    pub(super) fn failed(&self, output: &Output) -> Failure {
        let mask = locked(&self.mask).clone();
        let (stdout, stderr) = (output.stdout.printable(), output.stderr.printable());
        if let Some(refused) = refusal(&stdout, &stderr) {
            return refused;
        }
        match super::run::told(output, &mask) {
            Failure::Command { argv, status, .. } => {
                let stderr = mask.hide(&reason(&stdout, &stderr));
                Failure::Command { argv: shortened(&argv), status, stderr }
            }
            other => other,
        }
    }
}

pub(super) fn quiet<S: AsRef<str>>(argv: &[S], attempt: &Attempt) -> Child {
    let mut child = Child::new(argv.iter().map(|it| it.as_ref().to_owned()));
    child.env = ENVIRONMENT.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    child.timeout = attempt.timeout.unwrap_or(LONGEST);
    child
}

pub(super) fn patience(attempt: &Attempt) -> Duration {
    attempt.timeout.map_or(PATIENCE, |timeout| timeout.min(PATIENCE))
}

fn installs(it: &Transaction) -> bool {
    it.changes.iter().any(|change| change.action.installs())
}

/// What becomes of a configuration file that the host's owner and the package have both changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conffiles {
    /// The owner's stays.
    Kept,
    /// As the resource's own options have it.
    AsAsked,
}

/// The beginning of every apt-get.
pub(super) fn apt_get(conffiles: Conffiles, attempt: &Attempt) -> Vec<String> {
    let mut argv: Vec<String> = ["apt-get", "-y", "-q"].map(str::to_owned).to_vec();
    let mut set = |option: &str| argv.extend(["-o".to_owned(), option.to_owned()]);
    set(&format!("DPkg::Lock::Timeout={}", patience(attempt).as_secs()));
    if conffiles == Conffiles::Kept {
        set("Dpkg::Options::=--force-confdef");
        set("Dpkg::Options::=--force-confold");
    }
    set("Dpkg::Use-Pty=0");
    argv
}

/// One apt-get for all: what is removed beside an installation carries a `-`, so that apt sees both at once.
fn argv(it: &Transaction, attempt: &Attempt) -> Vec<String> {
    let removes = it.changes.iter().any(|change| !change.action.installs());
    let all_purged = it.changes.iter().all(|change| change.action == PackageAction::Purge);
    let verb = match (installs(it), all_purged) {
        (true, _) => "install",
        (false, true) => "purge",
        (false, false) => "remove",
    };
    // dpkg(1) lets ours win over --force-confnew.
    let is_new = it.options.iter().any(|option| option.contains("--force-confnew"));
    let mut argv = apt_get(if is_new { Conffiles::AsAsked } else { Conffiles::Kept }, attempt);
    let mut set = |option: &str| argv.extend(["-o".to_owned(), option.to_owned()]);
    if let Some(recommends) = it.recommends {
        set(&format!("APT::Install-Recommends={recommends}"));
    }
    argv.extend((installs(it) && !removes).then(|| "--no-remove".to_owned()));
    argv.extend(it.allow_downgrade.then(|| "--allow-downgrades".to_owned()));
    argv.extend(it.release.iter().flat_map(|release| ["-t".to_owned(), release.clone()]));
    argv.extend(it.options.iter().cloned());
    argv.extend([verb.to_owned(), "--".to_owned()]);
    argv.extend(it.changes.iter().map(|change| match &change.action {
        PackageAction::Install(Some(version)) => format!("{}={version}", change.name),
        PackageAction::Install(None) => change.name.clone(),
        // What is no name but begins with `/` is a file (apt-get(8), "install").
        PackageAction::InstallFile { file, .. } => file.as_path().to_string_lossy().into_owned(),
        PackageAction::Remove | PackageAction::Purge if installs(it) => format!("{}-", change.name),
        PackageAction::Remove | PackageAction::Purge => change.name.clone(),
    }));
    argv
}

fn changed(before: &BTreeMap<String, Package>, after: &BTreeMap<String, Package>) -> Touched {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).gather();
    let differs = |name: &&&String| before.get(**name) != after.get(**name);
    names.iter().filter(differs).map(|name| Subject::Package((*name).clone())).collect()
}

/// Without our own options, which would hide what was asked for.
fn shortened(argv: &str) -> String {
    let mut words = argv.split(' ').filter(|word| !matches!(*word, "-y" | "-q" | "--"));
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        if word == "-o" {
            words.next();
        } else {
            kept.push(word);
        }
    }
    kept.join(" ")
}

/// Adds that the host's dpkg had been interrupted, and could not be brought to its end before.
fn also(failure: Failure, repaired: Option<Failure>) -> Failure {
    match (failure, repaired) {
        (Failure::Command { argv, status, stderr }, Some(earlier)) => {
            Failure::Command { argv, status, stderr: format!("{stderr}\nand before it {earlier}") }
        }
        (failure, _) => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::{argv, shortened};
    use crate::system::Attempt;
    use model::{HostPath, PackageAction, PackageChange, Transaction};

    fn tail_of(changes: &[(&str, PackageAction)]) -> String {
        let change = |(name, action): &(&str, PackageAction)| PackageChange {
            name: (*name).to_owned(),
            action: action.clone(),
        };
        let it = Transaction { changes: changes.iter().map(change).collect(), ..Transaction::default() };
        let attempt = Attempt { tag: String::new(), timeout: None };
        let argv = argv(&it, &attempt).join(" ");
        argv.split_once("Dpkg::Use-Pty=0 ").unwrap().1.to_owned()
    }

    #[test]
    fn one_call_does_all_and_an_installation_removes_nothing() {
        use PackageAction::{Install, InstallFile, Purge, Remove};
        let exact = Install(Some("1.2-3".to_owned()));
        assert_eq!(tail_of(&[("a", Install(None)), ("b", exact)]), "--no-remove install -- a b=1.2-3");
        assert_eq!(tail_of(&[("a", Install(None)), ("g++", Remove), ("c", Purge)]), "install -- a g++- c-");
        assert_eq!(tail_of(&[("a", Purge), ("b", Purge)]), "purge -- a b");
        assert_eq!(tail_of(&[("a", Remove)]), "remove -- a");
        let file = HostPath::new("/state/debs/a_1.deb").unwrap();
        let kept = InstallFile { version: "1".to_owned(), file };
        assert_eq!(
            tail_of(&[("a", kept), ("b", Install(None))]),
            "--no-remove install -- /state/debs/a_1.deb b"
        );
    }

    #[test]
    fn a_failure_shows_what_was_asked_for() {
        let shown = shortened("apt-get -y -q -o Dpkg::Use-Pty=0 -t sid --no-remove install -- a b=1");
        assert_eq!(shown, "apt-get -t sid --no-remove install a b=1");
    }
}
