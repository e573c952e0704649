//! What the system's `ssh` is called with: an argv, in which nothing that comes from elsewhere can be taken for an option.

use crate::config::option;
use crate::endpoint::{Endpoint, UnknownKeys};
use std::ffi::OsString;
use std::path::Path;

/// What holds whatever the configuration says. The first value of a keyword counts, and these come first.
const ALWAYS: &[&str] = &[
    // It could ask at the terminal only, for all hosts at once.
    "BatchMode=yes",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "Tunnel=no",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    // A connection that is there may be used, but nobody else gets ours.
    "ControlMaster=no",
    // How it ended stands in its log, apart from what the command writes.
    "LogLevel=DEBUG1",
];

/// The files of one call.
pub(super) struct Files<'a> {
    /// Where it logs.
    pub(super) log: &'a Path,
    /// The keys of the inventory, in the form of known_hosts files; empty where there are none.
    pub(super) known_hosts: &'a Path,
}

/// The arguments that start `command` on the host.
pub(super) fn arguments(endpoint: &Endpoint, files: &Files<'_>, command: &str) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["-T".into(), "-E".into(), files.log.into()];
    if let Some(config) = &endpoint.openssh_config {
        arguments.extend(["-F".into(), config.into()]);
    }
    let mut options: Vec<String> = ALWAYS.iter().map(|option| (*option).to_owned()).collect();
    if !endpoint.host_keys.is_empty() {
        options.push(option("UserKnownHostsFile", &files.known_hosts.display().to_string()));
        options.extend(
            ["GlobalKnownHostsFile=/dev/null", "VerifyHostKeyDNS=no", "UpdateHostKeys=no"].map(str::to_owned),
        );
    }
    let recorded = endpoint.unknown_keys == UnknownKeys::Record && endpoint.host_keys.is_empty();
    // Not `no`, which takes changed keys.
    options.push(option("StrictHostKeyChecking", if recorded { "accept-new" } else { "yes" }));
    options.extend(endpoint.openssh_options.iter().cloned());
    options.push(option("ConnectTimeout", &endpoint.connect_timeout.as_secs().max(1).to_string()));
    options.push(option("ServerAliveInterval", &endpoint.alive_interval.as_secs().to_string()));
    options.push(option("ServerAliveCountMax", &endpoint.alive_count.to_string()));
    arguments.extend(options.into_iter().flat_map(|option| ["-o".into(), option.into()]));
    arguments.extend(["--".into(), endpoint.alias.clone().into(), command.into()]);
    arguments
}

#[cfg(test)]
mod tests {
    use super::{Files, arguments};
    use crate::config::{Asked, Overrides, SshFiles, Surroundings, resolve};
    use crate::endpoint::UnknownKeys;
    use std::path::Path;

    fn words(inventory: Overrides) -> Vec<String> {
        let surroundings = Surroundings {
            home: "/home/ada".into(),
            user: "ada".into(),
            uid: 1000,
            machine: "desk".into(),
            variables: Default::default(),
        };
        let files = SshFiles { instead: Some("/dev/null".into()), ..SshFiles::usual(Path::new("/home/ada")) };
        let asked = Asked { name: "web".into(), inventory, ..Asked::default() };
        let endpoint = resolve(&asked, &files, &surroundings).unwrap();
        let files = Files { log: Path::new("/tmp/a b/log"), known_hosts: Path::new("/tmp/a b%/kh") };
        let found = arguments(&endpoint, &files, "sh -c 'x y'");
        found.into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn what_must_not_be_changed_comes_first_and_the_host_behind_all_options() {
        let words = words(Overrides { user: Some("root".to_owned()), ..Overrides::default() });
        assert_eq!(words[..5], ["-T", "-E", "/tmp/a b/log", "-F", "/dev/null"]);
        assert_eq!(words[5..9], ["-o", "BatchMode=yes", "-o", "ClearAllForwardings=yes"]);
        assert_eq!(words[words.len() - 3..], ["--", "web", "sh -c 'x y'"]);
        let options = words[5..words.len() - 3].chunks(2);
        assert!(options.clone().all(|pair| pair[0] == "-o" && pair[1].contains('=')), "{words:?}");
        assert!(!words.iter().any(|word| word.starts_with("UserKnownHostsFile")));
    }

    #[test]
    fn keys_of_the_inventory_leave_nothing_to_other_files() {
        let host_keys = vec!["ssh-ed25519 AAAA".to_owned()];
        let words =
            words(Overrides { host_keys, unknown_keys: Some(UnknownKeys::Record), ..Overrides::default() });
        let at = |word: &str| words.iter().position(|one| one == word);
        assert!(at("UserKnownHostsFile=\"/tmp/a b%%/kh\"").is_some(), "{words:?}");
        assert!(at("GlobalKnownHostsFile=/dev/null").is_some());
        // The first counts.
        assert!(at("StrictHostKeyChecking=yes") < at("StrictHostKeyChecking=accept-new"), "{words:?}");
    }
}
