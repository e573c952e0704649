//! What was said outside of ssh_config(5), as options for ssh(1), which reads the rest itself.

use super::asked::Overrides;
use super::lines::below_home;
use super::surroundings::Surroundings;
use crate::endpoint::UnknownKeys;

/// Each as `Keyword=value`, in a stable order. Host keys are no options; the transport has a file for them.
pub(super) fn options(said: &Overrides, surroundings: &Surroundings) -> Vec<String> {
    let mut options = Vec::new();
    let mut option = |keyword: &str, value: &str| options.push(format!("{keyword}={}", quoted(value)));
    if let Some(address) = &said.address {
        option("HostName", &address.replace('%', "%%"));
    }
    if let Some(port) = said.port {
        option("Port", &port.to_string());
    }
    if let Some(user) = &said.user {
        option("User", user);
    }
    for identity in &said.identities {
        option(
            "IdentityFile",
            &below_home(identity, &surroundings.home).display().to_string().replace('%', "%%"),
        );
    }
    match said.unknown_keys {
        // Not `no`: that would take changed keys.
        Some(UnknownKeys::Record) => option("StrictHostKeyChecking", "accept-new"),
        Some(UnknownKeys::Refuse) => option("StrictHostKeyChecking", "yes"),
        None => {}
    }
    if let Some(limit) = said.connect_timeout {
        option("ConnectTimeout", &limit.as_secs().max(1).to_string());
    }
    // ssh takes a list of jumps as it stands, without quotes.
    options.extend(said.jump.iter().map(|jump| format!("ProxyJump={jump}")));
    options
}

/// In quotes where a blank, a quote or a `#` would be taken for something else.
fn quoted(value: &str) -> String {
    if value.contains([' ', '\t', '"', '\'', '\\', '#']) {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        value.to_owned()
    }
}
