//! Files of private keys, as ssh(1) treats them: what others can read is not used, and a `.pub` beside a key says what it is.
//! Formats: OpenSSH's own (PROTOCOL.key) and PEM. Asks for no passphrase; the keyring does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Secret;
use ssh_key::{PrivateKey, PublicKey};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What a file turned out to hold.
pub(super) struct KeyFile {
    /// The public half in the form that goes over the wire, where it can be told without a passphrase.
    pub(super) public: Option<Vec<u8>>,
    pub(super) private: Private,
}

/// The private half.
pub(super) enum Private {
    /// As text that libssh2 reads.
    Plain(Secret<String>),
    /// OpenSSH's format, with a passphrase; parsed, and its text.
    Sealed(Box<PrivateKey>, Secret<String>),
    /// PEM with a passphrase.
    SealedPem(Secret<String>),
    /// It is not here: the file is a public key, whose other half an agent may have.
    Elsewhere,
    /// libssh2 cannot use it and the system's `ssh` can; why.
    OnlyOpenSsh(String),
}

/// The names that ssh(1) tries where none is configured: it is no news that one of them is not there.
const USUAL: [&str; 6] = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss"];

/// Reads the file; `None` where one of the usual names is not there.
///
/// # Errors
/// Why it is not used, to stand after its name.
pub(super) fn read(path: &Path) -> Result<Option<KeyFile>, String> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return missing(path),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err("is not a key".to_owned()),
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    if let Some(public) = public(&text) {
        return Ok(Some(KeyFile { public: Some(public), private: Private::Elsewhere }));
    }
    let meta = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    closed_to_others(&meta)?;
    let beside = beside(path);
    if text.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
        return Ok(Some(openssh(text, beside)));
    }
    if !text.contains("PRIVATE KEY-----") {
        return Err("is not a private key".to_owned());
    }
    // RFC 1421 headers, or PKCS #8 (RFC 5958).
    let sealed =
        text.contains("Proc-Type: 4,ENCRYPTED") || text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----");
    let text = Secret::new(text);
    let private = if sealed { Private::SealedPem(text) } else { Private::Plain(text) };
    Ok(Some(KeyFile { public: beside, private }))
}

/// No private key; where its public half is there, an agent may have it.
fn missing(path: &Path) -> Result<Option<KeyFile>, String> {
    if let Some(public) = beside(path) {
        return Ok(Some(KeyFile { public: Some(public), private: Private::Elsewhere }));
    }
    let name = path.file_name().and_then(|name| name.to_str());
    if name.is_some_and(|name| USUAL.contains(&name)) { Ok(None) } else { Err("is not there".to_owned()) }
}

fn openssh(text: String, beside: Option<Vec<u8>>) -> KeyFile {
    let key = match PrivateKey::from_openssh(&text) {
        Ok(key) => key,
        // ssh-key refuses some that are in order, such as every other one of nistp521. libssh2 may read it, but asks for no passphrase.
        Err(_) if !is_sealed(&text) => {
            return KeyFile { public: beside, private: Private::Plain(Secret::new(text)) };
        }
        Err(error) => {
            let why = format!("cannot be read: {error}");
            return KeyFile { public: beside, private: Private::OnlyOpenSsh(why) };
        }
    };
    let public = key.public_key().to_bytes().ok().or(beside);
    let private = if key.algorithm().as_str().starts_with("sk-") {
        Private::OnlyOpenSsh("is kept in a security key".to_owned())
    } else if key.is_encrypted() {
        Private::Sealed(Box::new(key), Secret::new(text))
    } else {
        Private::Plain(Secret::new(text))
    };
    KeyFile { public, private }
}

/// Whether a key of OpenSSH's has a passphrase: after the magic word its first string is the name of a cipher, or `none`.
fn is_sealed(text: &str) -> bool {
    let lines = text.lines().skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
    let body: String = lines.take_while(|line| !line.starts_with("-----END")).map(str::trim).collect();
    let bytes = STANDARD.decode(body).unwrap_or_default();
    !bytes.starts_with(b"openssh-key-v1\0\0\0\0\x04none")
}

/// ssh(1): "ssh will simply ignore a private key file if it is accessible by others"; only where it is the user's own.
fn closed_to_others(meta: &Metadata) -> Result<(), String> {
    let ours = meta.uid() == rustix::process::getuid().as_raw();
    let mode = meta.mode() & 0o7777;
    if ours && mode & 0o077 != 0 {
        return Err(format!("is not used: its mode {mode:04o} lets others at it (chmod 600)"));
    }
    Ok(())
}

/// The public key in the `.pub` beside it.
fn beside(path: &Path) -> Option<Vec<u8>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    public(&fs::read_to_string(PathBuf::from(name)).ok()?)
}

fn public(text: &str) -> Option<Vec<u8>> {
    PublicKey::from_openssh(text).ok()?.to_bytes().ok()
}
