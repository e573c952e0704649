//! Opens secrets with the user's keys, each file once, each passphrase asked for once however many hosts want to know. What is opened
//! stays in memory. `dsl` says which secrets are wanted.

use super::armour::{self, Identity};
use super::recipients::{self, Recipient};
use super::stanza::{self, Stanza};
use crate::view::ask::Terminal;
use dsl::{Closed, Unseal};
use fleet::{Keyring, Prompts};
use model::{Digest, Secret, Severity};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};

/// Names another file of a private key.
const VARIABLE: &str = "KEEL_IDENTITY";

/// What is done about secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Opening {
    /// They are opened; somebody at the terminal is asked for passphrases.
    #[default]
    Asked,
    /// They are opened where that takes no question. What stays closed is a warning.
    Unasked,
    /// None is: nobody looks at values.
    Never,
}

/// What came of a secret.
type Opened = Result<Secret<Vec<u8>>, Closed>;

/// What was opened so far, and with what.
#[derive(Default)]
pub struct Vault {
    opening: Opening,
    keyring: Arc<Keyring>,
    opened: Mutex<BTreeMap<(String, Digest), Opened>>,
}

/// The vault for one site.
pub struct Opener<'a> {
    vault: &'a Vault,
    folder: PathBuf,
    identities: Vec<PathBuf>,
}

impl Vault {
    /// An empty one.
    pub fn new(opening: Opening) -> Self {
        Self { opening, ..Self::default() }
    }

    /// The keys, for whoever logs in with them too.
    pub fn keyring(&self) -> Arc<Keyring> {
        self.keyring.clone()
    }

    /// For the secrets in `folder`, with these keys before the usual ones.
    pub fn opener(&self, folder: &Path, identities: &[PathBuf]) -> Opener<'_> {
        let own = std::env::var_os(VARIABLE).filter(|file| !file.is_empty()).map(PathBuf::from);
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let usual =
            home.iter().flat_map(|home| ["id_ed25519", "id_rsa"].map(|name| home.join(".ssh").join(name)));
        let identities = identities.iter().cloned().chain(own).chain(usual).collect();
        Opener { vault: self, folder: folder.to_owned(), identities }
    }
}

impl Unseal for Opener<'_> {
    fn unseal(&self, name: &str, sealed: &[u8]) -> Result<Option<Secret<Vec<u8>>>, Closed> {
        if self.vault.opening == Opening::Never {
            return Ok(None);
        }
        // Held while somebody is asked: the threads of other hosts want the same.
        let mut opened = self.vault.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name.to_owned(), Digest::of(sealed));
        opened.entry(key).or_insert_with(|| self.open(name, sealed)).clone().map(Some)
    }
}

/// Nobody.
struct Nobody;

impl Prompts for Nobody {
    fn secret(&self, _: &str) -> Option<Secret<String>> {
        None
    }
}

impl Opener<'_> {
    /// Opens one secret.
    ///
    /// # Errors
    /// Why it stays closed.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, Closed> {
        let error = |message: String, help: String| Closed { severity: Severity::Error, message, help };
        let damaged = |why: String| {
            let help = format!(
                "bring back the file from your history, or seal it anew: `keel secret rotate --new {name}`"
            );
            error(format!("the secret `{name}` {why}"), help)
        };
        let bare = armour::bare(sealed).map_err(damaged)?;
        let stanzas = stanza::stanzas(&bare).ok_or_else(|| damaged("is no file of age".to_owned()))?;
        let mut troubles = Vec::new();
        for path in &self.identities {
            match self.identities(path, &stanzas) {
                Ok(identities) => {
                    if let Some(value) = armour::open(&bare, &identities).map_err(damaged)? {
                        return Ok(value);
                    }
                }
                Err(why) => troubles.push(format!("the key {} {why}", path.display())),
            }
        }
        let strict = self.vault.opening == Opening::Asked;
        let severity = if strict { Severity::Error } else { Severity::Warning };
        let message = match strict {
            true => format!("no key here opens the secret `{name}`"),
            false => {
                format!("no key here opens the secret `{name}`: what its value brings about is not checked")
            }
        };
        Err(Closed { severity, message, help: self.advice(&stanzas, &troubles) })
    }

    /// The identities in a file; none where it is not there, or is none of those that the secret is sealed to: nobody is asked for a
    /// passphrase in vain.
    fn identities(&self, path: &Path, stanzas: &[Stanza]) -> Result<Vec<Identity>, String> {
        let native = native(path)?;
        if !native.is_empty() {
            return Ok(native);
        }
        let keyring = &self.vault.keyring;
        if let Some(public) = keyring.public(path)? {
            let tag = stanza::tag(&public);
            if !stanzas.iter().any(|stanza| matches!(stanza, Stanza::Ssh(_, other) if *other == tag)) {
                return Ok(Vec::new());
            }
        }
        let prompts: &dyn Prompts = if self.vault.opening == Opening::Asked { &Terminal } else { &Nobody };
        let Some(text) = keyring.private(path, prompts)? else { return Ok(Vec::new()) };
        match age::ssh::Identity::from_buffer(text.expose().as_bytes(), None) {
            Ok(age::ssh::Identity::Unsupported(_)) => Err("is of a type that opens nothing".to_owned()),
            Ok(identity) => Ok(vec![Box::new(identity)]),
            Err(_) => Err("cannot be read".to_owned()),
        }
    }

    fn advice(&self, stanzas: &[Stanza], troubles: &[String]) -> String {
        let recipients = std::fs::read_to_string(self.folder.join(recipients::FILE)).ok();
        let known = recipients.and_then(|text| recipients::parse("", &text).ok()).unwrap_or_default();
        let names: Vec<String> = stanzas.iter().map(|stanza| name_of(stanza, &known)).collect();
        let sealed = match names.as_slice() {
            [] => "it is sealed to nobody".to_owned(),
            names => format!("it is sealed to {}", names.join(", ")),
        };
        let way =
            "give the file of such a private key with --unseal-with; an ssh-agent signs, but cannot decrypt";
        [&[sealed], troubles, &[way.to_owned()]].concat().join("; ")
    }
}

/// A key as people know it.
pub fn name_of(stanza: &Stanza, known: &[Recipient]) -> String {
    match stanza {
        Stanza::Ssh(kind, tag) => match known.iter().find(|one| one.stanza == *stanza) {
            Some(one) => one.label(),
            None => format!("{kind} with the tag {tag}, which is none of the recipients"),
        },
        Stanza::Native => "a key of age's own".to_owned(),
        Stanza::Passphrase => "a passphrase, which keel does not ask for".to_owned(),
        Stanza::Other(kind) => format!("a key of the type {kind}"),
    }
}

/// The identities in a file of age's own; none where it is no such file.
fn native(path: &Path) -> Result<Vec<Identity>, String> {
    // What cannot be read is told where it is read as a key of SSH.
    let Ok(text) = std::fs::read_to_string(path) else { return Ok(Vec::new()) };
    let keys = text.lines().filter(|line| line.starts_with("AGE-SECRET-KEY-1"));
    let identity = |key: &str| match age::x25519::Identity::from_str(key) {
        Ok(identity) => Ok(Box::new(identity) as Identity),
        Err(_) => Err("cannot be read".to_owned()),
    };
    keys.map(identity).collect()
}
