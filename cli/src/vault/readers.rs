//! Who can read a secret: what its file says, held against the recipients of now. Opens nothing.

use super::armour;
use super::opener::name_of;
use super::recipients::Recipient;
use super::stanza::{self, Stanza};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Whether who has the private half of one of `keys`, each `TYPE BASE64`, can read what is sealed.
///
/// # Errors
/// In words where it is no sealed file.
pub fn is_for(sealed: &[u8], keys: &[String]) -> Result<bool, String> {
    let found = stanza::stanzas(&armour::bare(sealed)?).ok_or("is no file of age")?;
    let of = |key: &String| {
        let (kind, body) = key.split_once(' ')?;
        Some(Stanza::Ssh(kind.to_owned(), stanza::tag(&STANDARD.decode(body).ok()?)))
    };
    Ok(keys.iter().filter_map(of).any(|stanza| found.contains(&stanza)))
}

/// A secret and its readers.
#[derive(Debug, PartialEq, Eq)]
pub struct Readers {
    /// The secret.
    pub name: String,
    /// Recipients that cannot read it yet, as people know them.
    pub lacking: Vec<String>,
    /// Keys that can read it, and are no recipients any more.
    pub beyond: Vec<String>,
}

impl Readers {
    /// Of a file.
    ///
    /// # Errors
    /// In words where it is no sealed file.
    pub fn of(name: &str, sealed: &[u8], recipients: &[Recipient]) -> Result<Self, String> {
        let found = stanza::stanzas(&armour::bare(sealed)?).ok_or("is no file of age")?;
        let label = |one: &Recipient| one.label();
        let mut lacking: Vec<String> = recipients
            .iter()
            .filter(|one| one.stanza != Stanza::Native && !found.contains(&one.stanza))
            .map(label)
            .collect();
        let mut beyond: Vec<String> = found
            .iter()
            .filter(|stanza| {
                **stanza != Stanza::Native && recipients.iter().all(|one| one.stanza != **stanza)
            })
            .map(|stanza| name_of(stanza, recipients))
            .collect();
        // Of age's own keys a file tells how many there are, and not which.
        let natives: Vec<&Recipient> = recipients.iter().filter(|one| one.stanza == Stanza::Native).collect();
        let sealed_to = found.iter().filter(|stanza| **stanza == Stanza::Native).count();
        if sealed_to < natives.len() {
            lacking.push(format!("{} of the {} keys of age's own", natives.len() - sealed_to, natives.len()));
        }
        if sealed_to > natives.len() {
            beyond.push(format!(
                "{} keys of age's own more than there are recipients",
                sealed_to - natives.len()
            ));
        }
        Ok(Self { name: name.to_owned(), lacking, beyond })
    }

    /// Whether exactly the recipients can read it, as far as that can be told.
    pub fn is_current(&self) -> bool {
        self.lacking.is_empty() && self.beyond.is_empty()
    }
}
