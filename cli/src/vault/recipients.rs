//! `secrets/recipients`: the public keys to which secrets are sealed, a line each as in authorized_keys (sshd(8)), without options; also
//! recipients of age's own (`age1…`). Empty lines and those that begin with `#` say nothing.

use super::stanza::{self, Stanza};
use model::{Diagnostic, Span};
use ssh_key::{HashAlg, PublicKey};
use std::path::PathBuf;
use std::str::FromStr as _;

/// The name of the file, below `secrets/`.
pub const FILE: &str = "recipients";

/// Someone who can open what is sealed.
pub struct Recipient {
    /// The type of the key, such as `ssh-ed25519`; `age` for one of age's own.
    pub kind: String,
    /// The fingerprint as ssh-keygen(1) shows it; of age's own the recipient itself.
    pub fingerprint: String,
    /// What stands behind the key; may be empty.
    pub comment: String,
    /// How files name it.
    pub stanza: Stanza,
    /// For sealing.
    pub key: Box<dyn age::Recipient>,
}

impl Recipient {
    /// As people know it.
    pub fn label(&self) -> String {
        let known = if self.comment.is_empty() { &self.fingerprint } else { &self.comment };
        format!("{} {known}", self.kind)
    }
}

/// The first of the user's public keys to which something can be sealed, as a line for the file.
pub fn own_key() -> Option<String> {
    let ssh = PathBuf::from(std::env::var_os("HOME")?).join(".ssh");
    let keys = ["id_ed25519.pub", "id_rsa.pub"]
        .into_iter()
        .filter_map(|name| std::fs::read_to_string(ssh.join(name)).ok());
    keys.map(|key| format!("{}\n", key.trim()))
        .find(|key| key.lines().count() == 1 && parse("", key).is_ok_and(|found| found.len() == 1))
}

/// Reads the file, `name` to the user.
///
/// # Errors
/// With a diagnostic for each line that is wrong.
pub fn parse(name: &str, text: &str) -> Result<Vec<Recipient>, Vec<Diagnostic>> {
    let (mut found, mut wrong): (Vec<Recipient>, Vec<Diagnostic>) = (Vec::new(), Vec::new());
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let words = line.trim();
        let start = at + (line.len() - line.trim_start().len());
        at += line.len();
        if words.is_empty() || words.starts_with('#') {
            continue;
        }
        match one(words) {
            Ok(one) if found.iter().any(|other| other.fingerprint == one.fingerprint) => {}
            Ok(one) => found.push(one),
            Err((message, help)) => {
                let span = Span { file: name.into(), text: text.into(), range: start..start + words.len() };
                wrong.push(Diagnostic::error("bad-recipient", message, span).help(help));
            }
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

/// One line; else what is wrong with it, and what to do.
fn one(words: &str) -> Result<Recipient, (String, String)> {
    if let Some(key) = words.split_whitespace().next().filter(|word| word.starts_with("age1")) {
        let recipient = age::x25519::Recipient::from_str(key).map_err(|why| {
            (format!("this is no recipient of age: {why}"), "`age-keygen -y` prints one".to_owned())
        })?;
        let comment = words.strip_prefix(key).unwrap_or("").trim().to_owned();
        let (kind, fingerprint, stanza) = ("age".to_owned(), key.to_owned(), Stanza::Native);
        return Ok(Recipient { kind, fingerprint, comment, stanza, key: Box::new(recipient) });
    }
    let help = "write a line of ~/.ssh/id_ed25519.pub, without options";
    let public = PublicKey::from_openssh(words)
        .map_err(|error| (format!("this is no public key of SSH: {error}"), help.to_owned()))?;
    let kind = public.algorithm().as_str().to_owned();
    let unfit = || {
        let message = format!("nothing can be sealed to a key of the type {kind}");
        (message, "take one of the type ssh-ed25519 or ssh-rsa: `ssh-keygen -t ed25519` makes one".to_owned())
    };
    let bytes = public.to_bytes().map_err(|_| unfit())?;
    let plain = words.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let recipient = age::ssh::Recipient::from_str(&plain).map_err(|error| match error {
        age::ssh::ParseRecipientKeyError::RsaModulusTooSmall => {
            ("this RSA key is shorter than 2048 bits".to_owned(), help.to_owned())
        }
        age::ssh::ParseRecipientKeyError::RsaModulusTooLarge => {
            ("this RSA key is longer than 4096 bits".to_owned(), help.to_owned())
        }
        _ => unfit(),
    })?;
    Ok(Recipient {
        fingerprint: public.fingerprint(HashAlg::Sha256).to_string(),
        comment: public.comment().to_owned(),
        stanza: Stanza::Ssh(kind.clone(), stanza::tag(&bytes)),
        kind,
        key: Box::new(recipient),
    })
}
