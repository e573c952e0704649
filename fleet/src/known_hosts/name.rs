//! The names under which hosts stand in known_hosts files: plain, patterns, or hashed. It knows no keys.

use crate::endpoint::Endpoint;
use crate::pattern;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// The name that counts, in small letters: `HostKeyAlias`, or the host with its port where that is not 22.
pub(crate) fn of(endpoint: &Endpoint) -> String {
    match (&endpoint.host_key_alias, endpoint.port) {
        (Some(alias), _) => alias.to_lowercase(),
        (None, 22) => endpoint.host.to_lowercase(),
        (None, port) => format!("[{}]:{port}", endpoint.host.to_lowercase()),
    }
}

/// The host without its port: OpenSSH also takes a key that stands under it, but does not hold another one against the host.
pub(super) fn without_port(endpoint: &Endpoint) -> Option<String> {
    let other = endpoint.host_key_alias.is_none() && endpoint.port != 22;
    other.then(|| endpoint.host.to_lowercase())
}

/// Does the field of a line mean this name?
pub(super) fn listed(field: &str, name: &str) -> bool {
    match field.strip_prefix("|1|") {
        Some(hashed) => is_hash_of(hashed, name),
        None => pattern::any(field.to_lowercase().split(','), name),
    }
}

/// A name as `HashKnownHosts` has it.
pub(super) fn hashed(name: &str, salt: &[u8; 20]) -> String {
    let hash = mac(salt, name).finalize().into_bytes();
    format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hash))
}

fn is_hash_of(hashed: &str, name: &str) -> bool {
    let Some((salt, hash)) = hashed.split_once('|') else { return false };
    let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else { return false };
    mac(&salt, name).verify_slice(&hash).is_ok()
}

fn mac(salt: &[u8], name: &str) -> Hmac<Sha1> {
    let mac = Hmac::<Sha1>::new_from_slice(salt).expect("HMAC takes keys of any length");
    mac.chain_update(name.as_bytes())
}
