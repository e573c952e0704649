//! What was said outside of ssh_config(5), as options for ssh(1), which reads the rest itself.

use super::asked::Overrides;
use super::lines::below_home;
use super::surroundings::Surroundings;
use crate::endpoint::UnknownKeys;

/// Each as `Keyword=value`, in a stable order. Host keys are no options; the transport has a file for them.
pub(super) fn options(said: &Overrides, surroundings: &Surroundings) -> Vec<String> {
    let mut options = Vec::new();
    let mut add = |keyword: &str, value: &str| options.push(option(keyword, value));
    if let Some(address) = &said.address {
        add("HostName", address);
    }
    if let Some(port) = said.port {
        add("Port", &port.to_string());
    }
    if let Some(user) = &said.user {
        add("User", user);
    }
    for identity in &said.identities {
        add("IdentityFile", &below_home(identity, &surroundings.home).display().to_string());
    }
    match said.unknown_keys {
        // Not `no`: that would take changed keys.
        Some(UnknownKeys::Record) => add("StrictHostKeyChecking", "accept-new"),
        Some(UnknownKeys::Refuse) => add("StrictHostKeyChecking", "yes"),
        None => {}
    }
    if let Some(limit) = said.connect_timeout {
        add("ConnectTimeout", &limit.as_secs().max(1).to_string());
    }
    // ssh takes a list of jumps as it stands, without quotes.
    options.extend(said.jump.iter().map(|jump| format!("ProxyJump={}", jump.replace('%', "%%"))));
    options
}

/// A keyword with one value that stands for itself: its `%` are no tokens, and it is in quotes where a blank, a quote or a `#` would be
/// taken for something else.
pub(crate) fn option(keyword: &str, value: &str) -> String {
    let value = if matches!(keyword, "User" | "Port") { value.to_owned() } else { value.replace('%', "%%") };
    if value.contains([' ', '\t', '"', '\'', '\\', '#']) {
        format!("{keyword}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("{keyword}={value}")
    }
}
