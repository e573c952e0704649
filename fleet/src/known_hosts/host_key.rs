//! The key that a host has proved to have, and what is thought of it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

/// A host's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    kind: String,
    blob: Vec<u8>,
}

/// What the transport is to do with a key that is no reason to end the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is the host's.
    Known,
    /// Nobody knows it, and it is wanted that such keys are taken: it is to be recorded.
    ToRecord,
}

impl HostKey {
    /// From the form that goes over the wire (RFC 4253, section 6.6): a string with the type, and the rest. `None` if it is not of that form.
    pub fn from_blob(blob: &[u8]) -> Option<Self> {
        let (length, rest) = blob.split_first_chunk::<4>()?;
        let kind = rest.get(..u32::from_be_bytes(*length) as usize)?;
        let plain = !kind.is_empty() && kind.iter().all(u8::is_ascii_graphic);
        let kind = std::str::from_utf8(kind).ok().filter(|_| plain)?;
        Some(Self { kind: kind.to_owned(), blob: blob.to_vec() })
    }

    /// From the form of files, `ssh-ed25519 AAAA…`, with or without a comment. `None` if it is not of that form.
    pub fn from_text(text: &str) -> Option<Self> {
        let (kind, rest) = text.trim().split_once([' ', '\t'])?;
        let key = Self::from_blob(&STANDARD.decode(rest.split_whitespace().next()?).ok()?)?;
        (key.kind == kind && key.blob.len() > kind.len() + 4).then_some(key)
    }

    /// The form of files, without a comment.
    pub fn to_text(&self) -> String {
        format!("{} {}", self.kind, STANDARD.encode(&self.blob))
    }

    /// Such as `ssh-ed25519`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The form that goes over the wire.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// Such as `ED25519`, as OpenSSH calls it in its messages.
    pub fn short_kind(&self) -> &str {
        short_kind(&self.kind)
    }

    /// Such as `SHA256:wEvhTBLk…`, as OpenSSH shows it.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.blob)))
    }
}

/// What OpenSSH calls a type of key in its messages.
pub(crate) fn short_kind(kind: &str) -> &str {
    match kind {
        "ssh-ed25519" => "ED25519",
        "ssh-rsa" => "RSA",
        "ssh-dss" => "DSA",
        "sk-ssh-ed25519@openssh.com" => "ED25519-SK",
        "sk-ecdsa-sha2-nistp256@openssh.com" => "ECDSA-SK",
        kind if kind.starts_with("ecdsa-sha2-") => "ECDSA",
        kind => kind,
    }
}
