//! Reads what `apt-cache` says of packages: candidates, versions on offer, providers of virtual packages.
//!
//! Pure, but for one look at whether the host has package lists at all. `apt` runs the programs. Formats: apt-cache(8).

use crate::os::safe_path::{Follow, list};
use crate::system::Candidates;
use model::Failure;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// True where no package list has been fetched yet, as on an image whose lists were cleaned out.
pub(super) fn is_unlisted(lists: &Path) -> Result<bool, Failure> {
    let names = list(lists, Follow::Yes)?.unwrap_or(Vec::new());
    Ok(!names.iter().any(|name| name.to_string_lossy().contains("_Packages")))
}

/// `apt-cache policy NAME…`, by the name in the heading. A name that apt has never heard of is not in it.
pub(super) fn policy(text: &str) -> BTreeMap<String, Candidates> {
    let mut found: BTreeMap<String, Candidates> = BTreeMap::new();
    let mut current = None;
    let mut version: Option<&str> = None;
    for line in text.lines() {
        let depth = line.len() - line.trim_start().len();
        if depth == 0 && line.ends_with(':') {
            current = Some(found.entry(line.trim_end_matches(':').to_owned()).or_default());
            version = None;
            continue;
        }
        let Some(candidates) = current.as_deref_mut() else { continue };
        if let Some(candidate) = line.strip_prefix("  Candidate: ") {
            candidates.candidate = Some(candidate.to_owned()).filter(|it| it != "(none)");
        } else if depth == 5 || line.starts_with(" *** ") {
            version = line.trim_start_matches(" *** ").split_whitespace().next();
        } else if depth == 8 && !line.ends_with("/var/lib/dpkg/status") {
            // A version whose only source is the host itself is not on offer.
            candidates.versions.extend(version.take().map(str::to_owned));
        }
    }
    found
}

/// What `apt-cache showpkg NAME…` has below `Reverse Provides:` of each name, sorted.
pub(super) fn providers(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut current, mut is_below) = (None, false);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("Package: ") {
            (current, is_below) = (Some(found.entry(name.to_owned()).or_default()), false);
        } else if line.starts_with("Reverse Provides:") {
            is_below = true;
        } else if is_below
            && let (Some(providers), Some(name)) = (&mut current, line.split_whitespace().next())
        {
            providers.insert(name.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{policy, providers};

    const POLICY: &str = include_str!("../../../../tests/cases/recorded/apt-cache-policy/mixed.txt");
    const VIRTUAL: &str = include_str!("../../../../tests/cases/recorded/apt-cache-showpkg/virtual.txt");

    #[test]
    fn reads_candidates_and_versions_on_offer() {
        let found = policy(POLICY);
        assert_eq!(found["nginx"].candidate.as_deref(), Some("1.22.1-9+deb12u10"));
        assert_eq!(found["nginx"].versions, ["1.22.1-9+deb12u10", "1.22.1-9+deb12u9"]);
        assert_eq!(found["bash"].versions, ["5.2.15-2+b13"], "what only the host has is not on offer");
        assert_eq!(found["mail-transport-agent"].candidate, None);
        assert!(!found.contains_key("nosuchpkg"));
    }

    #[test]
    fn reads_who_provides_a_virtual_package() {
        let two = format!("{VIRTUAL}Package: x\nVersions: \n\nProvides: \nReverse Provides: \n{VIRTUAL}");
        let found = providers(&two.replacen("Package: httpd-cgi", "Package: y", 1));
        assert_eq!(found.keys().collect::<Vec<_>>(), ["httpd-cgi", "x", "y"]);
        assert!(found["x"].is_empty());
        assert_eq!(found["httpd-cgi"], found["y"]);
        assert!(found["y"].contains("nginx"), "{found:?}");
        assert!(!found["y"].iter().any(|name| name.contains([' ', ':', ','])), "{found:?}");
    }
}
