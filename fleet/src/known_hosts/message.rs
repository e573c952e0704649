//! What is said where a host's key is not taken, in the words that users of OpenSSH know, and what to do.

use super::host_key::HostKey;
use crate::trouble::Trouble;
use std::fmt;

/// A key as far as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Such as `ssh-ed25519`.
    pub(crate) kind: String,
    /// Such as `ED25519`.
    pub(crate) short_kind: String,
    /// Such as `SHA256:wEvhTBLk…`.
    pub(crate) fingerprint: String,
}

impl From<&HostKey> for Shown {
    fn from(key: &HostKey) -> Self {
        let (kind, short_kind) = (key.kind().to_owned(), key.short_kind().to_owned());
        Self { kind, short_kind, fingerprint: key.fingerprint() }
    }
}

const NASTY: &str = "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\n\
    Someone could be eavesdropping on you right now (man-in-the-middle attack)!";

/// The host is known by other keys.
///
/// `place` is `FILE:LINE` of one of them, `kind` its type.
pub(crate) fn changed(name: &str, key: &Shown, kind: &str, place: &str) -> Trouble {
    let file = place.rsplit_once(':').map_or(place, |(file, _)| file);
    Trouble::HostKey(format!(
        "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\n{NASTY}\n\
         It is also possible that a host key has just been changed.\n{}\n\
         Offending {kind} key in {place}\n\
         Where the host was made anew, and that is its key, remove the old one with:\n  ssh-keygen -f \"{file}\" -R \"{name}\"\n\
         Host key verification failed.",
        sent(name, key)
    ))
}

/// The inventory has other keys.
pub(crate) fn not_given(name: &str, key: &Shown, given: &[HostKey]) -> Trouble {
    let expected: Vec<String> =
        given.iter().map(|key| format!("{} {}", key.short_kind(), key.fingerprint())).collect();
    Trouble::HostKey(format!(
        "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\n{NASTY}\n{}\n\
         The inventory says that it is {}\n\
         Where the host was made anew, and that is its key, correct `host_key` in the inventory.\n\
         Host key verification failed.",
        sent(name, key),
        expected.join(" or ")
    ))
}

/// The key is nobody's any more.
pub(crate) fn revoked(name: &str, key: &Shown, place: &dyn fmt::Display) -> Trouble {
    Trouble::HostKey(format!(
        "WARNING: REVOKED HOST KEY DETECTED!\n\
         The {} host key for {name} is marked as revoked in {place}.\n\
         This could mean that a stolen key is being used to impersonate this host.\n{}\n\
         Host key verification failed.",
        key.short_kind,
        sent(name, key)
    ))
}

/// Nobody knows the host.
pub(crate) fn unknown(name: &str, key: &Shown, notes: &[String]) -> Trouble {
    let mut text = format!(
        "The authenticity of host {name} can't be established: its key is not known.\n{kind} key fingerprint is {fingerprint}.\n\
         Compare it with what `ssh-keygen -lf` says of the .pub files in /etc/ssh on the host. If it is the same, take it with \
         `--accept-new-host-key`, or write host_key = \"{type} …\" in hosts.toml.",
        kind = key.short_kind,
        fingerprint = key.fingerprint,
        type = key.kind,
    );
    for note in notes {
        text += &format!("\n{note}");
    }
    Trouble::HostKey(text + "\nHost key verification failed.")
}

/// The inventory's key is none.
pub(super) fn malformed(alias: &str, text: &str) -> Trouble {
    Trouble::Here(format!(
        "host_key of {alias} is {text:?}, which is no public key: write `ssh-ed25519 AAAA…`, as it stands in \
         /etc/ssh/ssh_host_ed25519_key.pub on the host"
    ))
}

fn sent(name: &str, key: &Shown) -> String {
    format!(
        "The fingerprint for the {} key sent by the remote host {name} is\n{}.",
        key.short_kind, key.fingerprint
    )
}
