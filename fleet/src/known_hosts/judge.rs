//! Is this the host's key? Next: the transport, which ends the connection or goes on, and has a new key recorded.

use super::entry::{Entry, Marker, entries};
use super::host_key::{HostKey, Judgement};
use super::{message, name};
use crate::endpoint::{Endpoint, UnknownKeys};
use crate::trouble::Trouble;
use std::fs;
use std::io::ErrorKind;

/// The types of OpenSSH in the order it prefers them, and the names under which they are agreed on.
const PREFERRED: &[(&str, &[&str])] = &[
    ("ssh-ed25519", &["ssh-ed25519"]),
    ("ecdsa-sha2-nistp256", &["ecdsa-sha2-nistp256"]),
    ("ecdsa-sha2-nistp384", &["ecdsa-sha2-nistp384"]),
    ("ecdsa-sha2-nistp521", &["ecdsa-sha2-nistp521"]),
    ("ssh-rsa", &["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"]),
];

/// What is to become of a key that the host has proved to have.
///
/// Keys of the inventory replace all known_hosts files. A key in a line with `@revoked` is refused whatever else is said of it. A host
/// with other keys than this one has changed, whatever their types are: `algorithms` are asked for first.
///
/// # Errors
/// `Trouble::HostKey` where the key must not be taken; `Trouble::Here` where that cannot be told.
pub fn judge(endpoint: &Endpoint, key: &HostKey) -> Result<Judgement, Trouble> {
    let name = name::of(endpoint);
    if !endpoint.host_keys.is_empty() {
        let given = given(endpoint)?;
        let known = given.contains(key);
        return if known {
            Ok(Judgement::Known)
        } else {
            Err(message::not_given(&name, &key.into(), &given))
        };
    }
    let known = Known::read(endpoint)?;
    let other = name::without_port(endpoint);
    let of_host = |entry: &&Entry| entry.is_of(&name);
    let of_other = |entry: &&Entry| other.as_deref().is_some_and(|name| entry.is_of(name));
    let revoked =
        known.with(Marker::Revoked).find(|entry| entry.key == *key && (of_host(entry) || of_other(entry)));
    if let Some(entry) = revoked {
        return Err(message::revoked(&name, &key.into(), &entry.place));
    }
    if known.with(Marker::Plain).any(|entry| entry.key == *key && of_host(&entry)) {
        return Ok(Judgement::Known);
    }
    if let Some(entry) = known.with(Marker::Plain).find(of_host) {
        return Err(message::changed(&name, &key.into(), entry.key.short_kind(), &entry.place.to_string()));
    }
    if known.with(Marker::Plain).any(|entry| entry.key == *key && of_other(&entry)) {
        return Ok(Judgement::Known);
    }
    match endpoint.unknown_keys {
        UnknownKeys::Record => Ok(Judgement::ToRecord),
        UnknownKeys::Refuse => {
            let authority = known.with(Marker::CertAuthority).find(of_host).map(|entry| &entry.place);
            let signed =
                |place| format!("{place} says who signs its keys: only `--transport openssh` looks at that.");
            let notes: Vec<String> = authority.map(signed).into_iter().chain(known.notes).collect();
            Err(message::unknown(&name, &key.into(), &notes))
        }
    }
}

/// The algorithms that prove the keys we know of a host, to be preferred when keys are agreed on, as OpenSSH does: otherwise a host
/// that has several keys would look like one that has changed. None for a host that is not known.
///
/// # Errors
/// `Trouble::Here` where a file cannot be read, or a key of the inventory is none.
pub fn algorithms(endpoint: &Endpoint) -> Result<Vec<String>, Trouble> {
    let keys = if endpoint.host_keys.is_empty() {
        let (name, other) = (name::of(endpoint), name::without_port(endpoint));
        let known = Known::read(endpoint)?;
        let of = |name: &str| -> Vec<HostKey> {
            known
                .with(Marker::Plain)
                .filter(|entry| entry.is_of(name))
                .map(|entry| entry.key.clone())
                .collect()
        };
        match (of(&name), other) {
            (none, Some(other)) if none.is_empty() => of(&other),
            (found, _) => found,
        }
    } else {
        given(endpoint)?
    };
    let known = |kind: &str| keys.iter().any(|key| key.kind() == kind);
    let names = PREFERRED.iter().filter(|(kind, _)| known(kind)).flat_map(|(_, names)| names.iter());
    Ok(names.map(|name| (*name).to_owned()).collect())
}

/// Where all that is known of a host is who signs its keys, only the system's `ssh` can tell: the place of that line.
pub(crate) fn only_authorities(endpoint: &Endpoint) -> Result<Option<String>, Trouble> {
    if !endpoint.host_keys.is_empty() {
        return Ok(None);
    }
    let (known, name) = (Known::read(endpoint)?, name::of(endpoint));
    let other = name::without_port(endpoint);
    let of_host =
        |entry: &&Entry| entry.is_of(&name) || other.as_deref().is_some_and(|name| entry.is_of(name));
    if known.with(Marker::Plain).any(|entry| of_host(&entry)) {
        return Ok(None);
    }
    let authority = known.with(Marker::CertAuthority).find(of_host);
    Ok(authority.map(|entry| format!("@cert-authority ({})", entry.place)))
}

/// The keys of the inventory.
pub(crate) fn given(endpoint: &Endpoint) -> Result<Vec<HostKey>, Trouble> {
    let parse =
        |text: &String| HostKey::from_text(text).ok_or_else(|| message::malformed(&endpoint.alias, text));
    endpoint.host_keys.iter().map(parse).collect()
}

/// All that the files say.
struct Known {
    entries: Vec<Entry>,
    notes: Vec<String>,
}

impl Known {
    /// A file that is not there says nothing; one that cannot be read might have said that a key is revoked.
    fn read(endpoint: &Endpoint) -> Result<Self, Trouble> {
        let mut known = Self { entries: Vec::new(), notes: Vec::new() };
        for file in &endpoint.known_hosts {
            let bytes = match fs::read(file) {
                Ok(bytes) => bytes,
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    continue;
                }
                Err(error) => {
                    return Err(Trouble::Here(format!("{}: cannot be read: {error}", file.display())));
                }
            };
            let (entries, notes) = entries(file, &String::from_utf8_lossy(&bytes));
            known.entries.extend(entries);
            known.notes.extend(notes);
        }
        Ok(known)
    }

    fn with(&self, marker: Marker) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.marker == marker)
    }
}
