//! The head of an age file: for each key that can open it a stanza, in the clear. Format: <https://age-encryption.org/v1>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use model::Digest;

/// What the first line of every file says.
const MAGIC: &str = "age-encryption.org/v1";
/// A head is not longer than this, in bytes.
const LONGEST: usize = 1 << 20;

/// A key to which a file is sealed, as far as the file tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stanza {
    /// A key of SSH, by its type and its [`tag`].
    Ssh(String, String),
    /// Some key of age's own: which one is not told.
    Native,
    /// A passphrase.
    Passphrase,
    /// What this program does not know.
    Other(String),
}

/// The stanzas of a file without its armour; `None` where it is no age file.
pub fn stanzas(file: &[u8]) -> Option<Vec<Stanza>> {
    let mut lines = file.get(..LONGEST.min(file.len()))?.split(|byte| *byte == b'\n');
    if lines.next()? != MAGIC.as_bytes() {
        return None;
    }
    let mut found = Vec::new();
    for line in lines {
        if line.starts_with(b"---") {
            return Some(found);
        }
        // Other lines are the bodies of stanzas.
        let Some(arguments) = line.strip_prefix(b"-> ") else { continue };
        found.extend(stanza(std::str::from_utf8(arguments).ok()?));
    }
    None
}

fn stanza(arguments: &str) -> Option<Stanza> {
    let mut words = arguments.split(' ');
    let kind = words.next()?;
    Some(match kind {
        "ssh-ed25519" | "ssh-rsa" => Stanza::Ssh(kind.to_owned(), words.next()?.to_owned()),
        "X25519" => Stanza::Native,
        "scrypt" => Stanza::Passphrase,
        // Noise, so that readers get used to what they do not know.
        kind if kind.ends_with("-grease") => return None,
        kind => Stanza::Other(kind.to_owned()),
    })
}

/// How a stanza names a key of SSH: the first four bytes of the SHA-256 of its public half.
pub fn tag(public: &[u8]) -> String {
    let digest = Digest::of(public).to_string();
    let bytes = (0..4).filter_map(|at| u8::from_str_radix(digest.get(2 * at..2 * at + 2)?, 16).ok());
    STANDARD_NO_PAD.encode(bytes.collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::{Stanza, stanzas, tag};

    #[test]
    fn a_head_tells_whom_it_is_for() {
        let head = "age-encryption.org/v1\n-> ssh-ed25519 0OrT+g abc\nbody\n-> X25519 abc\nbody\n-> x-grease a b\n\n-> scrypt a 18\n\n-> piv-p256 a\nb\n--- mac\nrest";
        let expected = vec![
            Stanza::Ssh("ssh-ed25519".into(), "0OrT+g".into()),
            Stanza::Native,
            Stanza::Passphrase,
            Stanza::Other("piv-p256".into()),
        ];
        assert_eq!(stanzas(head.as_bytes()), Some(expected));
        for bad in [
            "",
            "age-encryption.org/v1",
            "age-encryption.org/v1\n-> X25519 a\nbody",
            "age-encryption.org/v2\n---",
        ] {
            assert_eq!(stanzas(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_tag_is_the_start_of_a_digest() {
        // printf '' | sha256sum | cut -c1-8 | xxd -r -p | base64
        assert_eq!(tag(b""), "47DEQg");
    }
}
