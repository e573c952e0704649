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
