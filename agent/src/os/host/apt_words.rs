//! What to make of apt-get's words: the lines that tell why it failed, what it would have removed. Pure.

use super::run::tail;
use model::Failure;

/// Environment of apt and of the scripts it runs: nobody is there to be asked (debconf(7), needrestart(1), ucf(1)).
pub(super) const ENVIRONMENT: [(&str, &str); 5] = [
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("DEBCONF_NONINTERACTIVE_SEEN", "true"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    ("NEEDRESTART_MODE", "l"),
    ("UCF_FORCE_CONFFOLD", "1"),
];

/// Why apt-get failed: its own errors first, then the last lines of whatever it ran.
pub(super) fn reason(stdout: &str, stderr: &str) -> String {
    let generic = |line: &&str| !line.contains("Sub-process /usr/bin/dpkg returned an error code");
    let errors = stderr.lines().filter(|line| line.starts_with("E: ")).filter(generic);
    let dpkg = stderr.lines().filter(|line| line.starts_with("dpkg: "));
    let mut lines: Vec<&str> = errors.chain(dpkg).collect();
    if lines.is_empty() {
        lines.push(tail(stderr.trim_end()));
    }
    let is_noise = |line: &&str| {
        ["Reading ", "Building ", "Get:", "(Reading database", "Need to get", "Fetched "]
            .iter()
            .any(|noise| line.starts_with(noise))
    };
    let rest = stdout.lines().filter(|line| !line.trim().is_empty() && !is_noise(line)).collect::<Vec<_>>();
    lines.extend(&rest[rest.len().saturating_sub(5)..]);
    lines.dedup();
    lines.join("\n")
}

/// True where fetching failed, as with lists that are older than the archive.
pub(super) fn could_not_fetch(stderr: &str) -> bool {
    stderr.contains("404  Not Found")
        || stderr.contains("E: Failed to fetch")
        || stderr.contains("E: Unable to fetch")
}

/// The packages under the heading that announces removals.
fn removals(stdout: &str) -> Vec<&str> {
    let below = stdout.lines().skip_while(|line| !line.starts_with("The following packages will be REMOVED"));
    let names = below.skip(1).take_while(|line| line.starts_with("  "));
    names.flat_map(str::split_whitespace).map(|name| name.trim_end_matches('*')).collect()
}

/// A refusal with a way out, where apt-get ended because of a rule of ours.
pub(super) fn refusal(stdout: &str, stderr: &str) -> Option<Failure> {
    if !stderr.contains("remove is disabled") {
        return None;
    }
    let why = format!("installing this would remove {}", removals(stdout).join(", "));
    Some(Failure::refused(why, "remove them by a resource of their own, or write `options = [\"--remove\"]`"))
}

#[cfg(test)]
mod tests {
    use super::{could_not_fetch, reason, refusal};

    #[test]
    fn names_what_an_installation_would_remove() {
        let stdout = "Reading package lists...\nThe following packages will be REMOVED:\n  exim4-base* exim4-config\n  mutt\nThe following NEW packages will be installed:\n  postfix\n";
        let failure = refusal(stdout, "E: Packages need to be removed but remove is disabled.\n").unwrap();
        assert!(
            failure.to_string().starts_with("installing this would remove exim4-base, exim4-config, mutt; ")
        );
        assert_eq!(refusal(stdout, "E: something else\n"), None);
    }

    #[test]
    fn apts_own_errors_come_first() {
        let stdout = "Reading package lists...\nSetting up odd (1) ...\ncannot find my configuration\n";
        let stderr = "W: a warning\ndpkg: error processing package odd (--configure):\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n";
        assert_eq!(
            reason(stdout, stderr),
            "dpkg: error processing package odd (--configure):\nSetting up odd (1) ...\ncannot find my configuration"
        );
        assert_eq!(reason("", "E: Unable to locate package x\n"), "E: Unable to locate package x");
    }

    #[test]
    fn stale_lists_are_told_from_other_troubles() {
        assert!(could_not_fetch("E: Failed to fetch http://x/y.deb  404  Not Found [IP: 1.2.3.4 80]\n"));
        assert!(!could_not_fetch("E: Unable to locate package x\n"));
    }
}
