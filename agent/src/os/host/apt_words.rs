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

/// Lines that say nothing about a failure.
const NOISE: [&str; 12] = [
    "Reading ",
    "Building ",
    "Get:",
    "(Reading database",
    "Need to get",
    "Fetched ",
    "After this operation",
    "Use 'apt autoremove'",
    "E: Sub-process /usr/bin/dpkg returned an error code",
    "Errors were encountered while processing",
    "W: ",
    "N: ",
];

/// Why apt-get failed: its own errors first, then what the programs said that it ran; where it ran none, what it had found out.
pub(super) fn reason(stdout: &str, stderr: &str) -> String {
    let telling = |line: &&str| !line.trim().is_empty() && !NOISE.iter().any(|noise| line.starts_with(noise));
    let (errors, others): (Vec<&str>, Vec<&str>) =
        stderr.lines().filter(telling).partition(|line| line.starts_with("E: "));
    let found: Vec<&str> = match errors.is_empty() {
        true => Vec::new(),
        false => stdout.lines().filter(telling).collect(),
    };
    let last = |lines: &[&str], most: usize| lines[lines.len().saturating_sub(most)..].join("\n");
    let parts = [errors.join("\n"), last(&others, 8), last(&found, 5)];
    let said: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if said.is_empty() { tail(stdout.trim_end()).to_owned() } else { capped(&said.join("\n")) }
}

/// At most 2 KiB, of which the beginning tells more than the end.
fn capped(text: &str) -> String {
    text.char_indices().take_while(|(at, _)| *at < 2048).map(|(_, character)| character).collect()
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
    fn a_script_that_fails_is_heard() {
        let stdout = "Reading package lists...\nSetting up odd (1) ...\n";
        let stderr = include_str!("../../../../tests/cases/recorded/apt-get/postinst-failed.txt");
        let expected = "cannot find my configuration\ndpkg: error processing package odd (--configure):\n installed odd package post-installation script subprocess returned error exit status 7\n odd";
        assert_eq!(reason(stdout, stderr), expected);
    }

    #[test]
    fn apts_own_errors_come_first_then_what_it_found_out() {
        assert_eq!(reason("", "E: Unable to locate package x\n"), "E: Unable to locate package x");
        let stdout = include_str!("../../../../tests/cases/recorded/apt-get/unmet.txt");
        let told = reason(stdout, "E: Unable to correct problems, you have held broken packages.\n");
        assert!(
            told.starts_with("E: Unable to correct problems, you have held broken packages.\n"),
            "{told}"
        );
        assert!(told.ends_with("nginx : Depends: nginx-common (< 1.22.1-9+deb12u9.1~) but 1.22.1-9+deb12u10 is to be installed"), "{told}");
    }

    #[test]
    fn stale_lists_are_told_from_other_troubles() {
        assert!(could_not_fetch("E: Failed to fetch http://x/y.deb  404  Not Found [IP: 1.2.3.4 80]\n"));
        assert!(!could_not_fetch("E: Unable to locate package x\n"));
    }
}
