//! Who may sign: a file as `ssh-keygen -Y verify -f` takes it (ssh-keygen(1), ALLOWED SIGNERS). A line that cannot be read makes the whole
//! file useless: it could be the one that was to keep somebody out.

use crate::options::Options;
use crate::refusal::Refusal;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, PublicKey};
use std::path::Path;

/// No such file is larger, in bytes.
const LARGEST: u64 = 1 << 20;

/// Who may sign what, and when.
#[derive(Debug)]
pub struct Allowed {
    file: String,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    number: usize,
    principals: String,
    options: Options,
    key: KeyData,
}

/// Who has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// As the file has it: names or patterns, between commas.
    pub principals: String,
    /// The key, as people know it: type and fingerprint.
    pub key: String,
}

/// A key as people know it.
pub fn label(key: &KeyData) -> String {
    format!("{} {}", key.algorithm().as_str(), key.fingerprint(HashAlg::Sha256))
}

impl Allowed {
    /// Reads the file.
    ///
    /// # Errors
    /// Where it is not there, or wrong.
    pub fn read(path: &Path) -> Result<Self, Refusal> {
        let file = path.display().to_string();
        let bad = |why: String| Refusal::BadAllowed { file: file.clone(), line: None, why };
        let meta = std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => bad(
                "there is no such file, and it says who may sign: write lines such as `ann@example.org ssh-ed25519 AAAA…`"
                    .to_owned(),
            ),
            _ => bad(format!("cannot be read: {error}")),
        })?;
        if !meta.is_file() || meta.len() > LARGEST {
            return Err(bad("is no file of lines".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| bad(format!("cannot be read: {error}")))?;
        Self::parse(&file, &text)
    }

    /// Reads its text; `file` is what it is called.
    ///
    /// # Errors
    /// At the first line that is wrong, and where nobody is in it.
    pub fn parse(file: &str, text: &str) -> Result<Self, Refusal> {
        let mut lines = Vec::new();
        for (words, number) in text.lines().map(str::trim).zip(1..) {
            if words.is_empty() || words.starts_with('#') {
                continue;
            }
            // A line of the file may be quoted in it.
            let bad = |why: String| {
                let why = why.replace(char::is_control, "?");
                Refusal::BadAllowed { file: file.to_owned(), line: Some(number), why }
            };
            lines.push(line(words, number).map_err(bad)?);
        }
        if lines.is_empty() {
            let why = "nobody is in it, so nobody may sign".to_owned();
            return Err(Refusal::BadAllowed { file: file.to_owned(), line: None, why });
        }
        Ok(Self { file: file.to_owned(), lines })
    }

    /// Whether a key may sign for `namespace` at the time `now`, in seconds since 1970.
    ///
    /// # Errors
    /// Why it may not.
    pub fn signer(&self, key: &KeyData, namespace: &str, now: i64) -> Result<Signer, Refusal> {
        let (name, file) = (label(key), self.file.clone());
        let mut refusal = Refusal::Foreign { key: name.clone(), file: file.clone() };
        // Comments are no part of a key, and `KeyData` has none.
        for line in self.lines.iter().filter(|line| line.key == *key) {
            match line.options.against(namespace, now) {
                None => return Ok(Signer { principals: line.principals.clone(), key: name }),
                Some(why) => {
                    let (key, file) = (name.clone(), file.clone());
                    refusal = Refusal::NotAllowed { key, file, line: line.number, why };
                }
            }
        }
        Err(refusal)
    }
}

/// Words end at blanks outside of quotes.
fn word(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let end = text.find(|one: char| {
        quoted ^= one == '"';
        one.is_whitespace() && !quoted
    });
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (word, rest.trim_start())
}

fn line(text: &str, number: usize) -> Result<Line, String> {
    let (principals, rest) = word(text);
    let form = "write `ann@example.org ssh-ed25519 AAAA…`";
    if PublicKey::from_openssh(text).is_ok() {
        return Err(format!("this key has no name in front of it: {form}"));
    }
    let (first, tail) = word(rest);
    let plain = PublicKey::from_openssh(rest).ok().map(|key| (Options::default(), key));
    let (options, key) = match plain {
        Some(found) => found,
        None => {
            let key = PublicKey::from_openssh(tail);
            // Of a key that cannot be read its type would be taken for options.
            if tail.is_empty() || (key.is_err() && !first.contains('=') && first != "cert-authority") {
                return Err(format!("there is no public key of SSH: {form}"));
            }
            let options = Options::parse(first)?;
            (options, key.map_err(|error| format!("this is no public key of SSH: {error}; {form}"))?)
        }
    };
    let principals = principals.trim_matches('"').to_owned();
    Ok(Line { number, principals, options, key: key.key_data().clone() })
}

#[cfg(test)]
mod tests {
    use super::Allowed;
    use ssh_key::PublicKey;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEmcSyVF8gvo6pHYhj8Cz6g0i1sAt4ynnQWfRS3V5bGn";

    #[test]
    fn the_first_line_that_allows_it_counts() {
        let text = format!(
            "# people\n\nold valid-before=\"20200101Z\" {KEY}\n\"ann@x,bob@x\" namespaces=\"a b\" {KEY} ann\n"
        );
        let allowed = Allowed::parse("f", &text).expect("it is one");
        let key = PublicKey::from_openssh(KEY).expect("it is a key");
        let signer = |namespace, now| match allowed.signer(key.key_data(), namespace, now) {
            Ok(signer) => signer.principals,
            Err(refusal) => refusal.to_string(),
        };
        assert_eq!(signer("a b", 1_700_000_000), "ann@x,bob@x");
        assert_eq!(signer("c", 1_500_000_000), "old");
        let print = "ssh-ed25519 SHA256:";
        let refused = signer("c", 1_700_000_000);
        assert!(
            refused.contains(print) && refused.ends_with("f:4 allows for `a b` only, and not for `c`"),
            "{refused}"
        );
    }

    #[test]
    fn a_wrong_line_is_told_with_its_place() {
        let form = "write `ann@example.org ssh-ed25519 AAAA…`";
        for (text, why) in [
            (String::new(), "f: nobody is in it, so nobody may sign".to_owned()),
            (format!("\n{KEY}\n"), format!("f:2: this key has no name in front of it: {form}")),
            (format!("ann {}", &KEY[..60]), format!("f:1: there is no public key of SSH: {form}")),
            ("ann".to_owned(), format!("f:1: there is no public key of SSH: {form}")),
            (
                format!("ann cert-authority {KEY}"),
                "f:1: certificates are not taken: write the key itself that signs".to_owned(),
            ),
            (
                format!("ann x=\"y\" {KEY}"),
                "f:1: there is no option `x`: there are namespaces, valid-after and valid-before".to_owned(),
            ),
        ] {
            assert_eq!(Allowed::parse("f", &text).expect_err(&text).to_string(), why);
        }
    }
}
