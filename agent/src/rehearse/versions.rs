//! What became of packages, from dpkg's word before and after.

use crate::system::{Package, PackageStatus};
use model::{Gather, RehearsedPackage};
use std::collections::{BTreeMap, BTreeSet};

/// Packages whose version is another one now, or that came or went.
pub(super) fn changes(
    before: &BTreeMap<String, Package>,
    after: &BTreeMap<String, Package>,
) -> Vec<RehearsedPackage> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).gather();
    let change = |name: &String| {
        let (before, after) = (before.get(name).and_then(version), after.get(name).and_then(version));
        (before != after).then(|| RehearsedPackage { name: name.clone(), before, after, files: 0 })
    };
    names.into_iter().filter_map(change).collect()
}

/// What of it is there; only configuration counts as nothing, anything unfinished is said.
fn version(package: &Package) -> Option<String> {
    match package.status {
        PackageStatus::ConfigFiles => None,
        PackageStatus::Installed | PackageStatus::TriggersPending | PackageStatus::TriggersAwaited => {
            Some(package.version.clone())
        }
        PackageStatus::HalfInstalled => Some(format!("{} (half installed)", package.version)),
        PackageStatus::Unpacked => Some(format!("{} (only unpacked)", package.version)),
        PackageStatus::HalfConfigured => Some(format!("{} (half configured)", package.version)),
    }
}

#[cfg(test)]
mod tests {
    use super::changes;
    use crate::system::{Package, PackageStatus};
    use std::collections::BTreeMap;

    fn known(packages: &[(&str, &str, PackageStatus)]) -> BTreeMap<String, Package> {
        let package = |(name, version, status): &(&str, &str, PackageStatus)| {
            let package = Package { status: *status, version: (*version).into(), held: false };
            ((*name).to_owned(), package)
        };
        packages.iter().map(package).collect()
    }

    #[test]
    fn tells_what_came_went_and_changed() {
        use PackageStatus::{ConfigFiles, HalfConfigured, Installed};
        let before = known(&[
            ("a", "1", Installed),
            ("b", "1", Installed),
            ("c", "1", ConfigFiles),
            ("d", "1", Installed),
        ]);
        let after = known(&[
            ("a", "1", Installed),
            ("b", "2", HalfConfigured),
            ("c", "2", Installed),
            ("d", "1", ConfigFiles),
        ]);
        let found: Vec<_> =
            changes(&before, &after).into_iter().map(|it| (it.name, it.before, it.after)).collect();
        let text = |text: &str| Some(text.to_owned());
        let expected = [
            ("b".to_owned(), text("1"), text("2 (half configured)")),
            ("c".to_owned(), None, text("2")),
            ("d".to_owned(), text("1"), None),
        ];
        assert_eq!(found, expected);
    }
}
