//! What of a configuration only the system's `ssh` can do. Leaving such a line out would connect otherwise than the user wants, or trust
//! more than the user does. Preferences among algorithms are no such thing, nor is `ControlPath`.

use super::said::{Owner, Said, Sayings};
use crate::trouble::Trouble;

/// Keywords, and the values that ask for nothing.
const KEYWORDS: &[(&str, &str, &[&str])] = &[
    ("addressfamily", "AddressFamily", &["any"]),
    ("bindaddress", "BindAddress", &["*"]),
    ("bindinterface", "BindInterface", &[]),
    ("canonicalizehostname", "CanonicalizeHostname", &["no", "false"]),
    ("certificatefile", "CertificateFile", &["none"]),
    ("gssapiauthentication", "GSSAPIAuthentication", &["no", "false"]),
    ("hostbasedauthentication", "HostbasedAuthentication", &["no", "false"]),
    ("knownhostscommand", "KnownHostsCommand", &["none"]),
    ("pkcs11provider", "PKCS11Provider", &["none"]),
    ("proxyusefdpass", "ProxyUseFdpass", &["no", "false"]),
    ("revokedhostkeys", "RevokedHostKeys", &["none"]),
    ("securitykeyprovider", "SecurityKeyProvider", &["none", "internal"]),
    ("verifyhostkeydns", "VerifyHostKeyDNS", &["no", "false", "ask"]),
];

/// The first of them, such as `PKCS11Provider (FILE:LINE)`.
///
/// # Errors
/// A line without a value.
pub(super) fn reason(sayings: &Sayings) -> Result<Option<String>, Trouble> {
    for (keyword, name, idle) in KEYWORDS {
        let Some(said) = sayings.first(keyword) else { continue };
        // Debian and Fedora have it on for everybody; ssh itself goes on to keys where there is no ticket.
        if *keyword == "gssapiauthentication" && said.owner == Owner::System {
            continue;
        }
        let value = said.words()?.remove(0).to_ascii_lowercase();
        if !idle.contains(&value.as_str()) {
            return Ok(Some(format!("{name} ({})", said.place)));
        }
    }
    Ok(None)
}

/// `ProxyCommand` and `ProxyJump` fill the same place: whichever was said first.
pub(super) enum Proxy<'a> {
    None,
    Jump(&'a Said),
    Command(&'a Said),
}

/// Which of them counts.
pub(super) fn proxy(sayings: &Sayings) -> Proxy<'_> {
    match (sayings.first("proxyjump"), sayings.first("proxycommand")) {
        (Some(jump), Some(command)) if command.rank < jump.rank => command_or_none(command),
        (Some(jump), _) => Proxy::Jump(jump),
        (None, Some(command)) => command_or_none(command),
        (None, None) => Proxy::None,
    }
}

fn command_or_none(command: &Said) -> Proxy<'_> {
    if command.rest.eq_ignore_ascii_case("none") { Proxy::None } else { Proxy::Command(command) }
}
