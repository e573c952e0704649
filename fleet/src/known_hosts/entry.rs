//! One line of a known_hosts file, as sshd(8) has it under SSH_KNOWN_HOSTS FILE FORMAT: markers, names, a key. It judges nothing.

use super::host_key::HostKey;
use super::name;
use std::fmt;
use std::path::{Path, PathBuf};

/// A line with a key.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) marker: Marker,
    names: String,
    pub(super) key: HostKey,
}

/// What the key of a line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    /// It is the host's.
    Plain,
    /// It signs the host's.
    CertAuthority,
    /// It is nobody's any more.
    Revoked,
}

/// File and line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    /// From 1.
    pub(super) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

impl Entry {
    /// Is it about a host of this name? The name is in small letters, with `[…]:port` around it for a port other than 22.
    pub(super) fn is_of(&self, name: &str) -> bool {
        name::listed(&self.names, name)
    }
}

/// The entries of a file, and a note for each line that is none, as OpenSSH leaves them out.
pub(super) fn entries(file: &Path, text: &str) -> (Vec<Entry>, Vec<String>) {
    let (mut entries, mut notes) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = Place { file: file.to_owned(), line: index + 1 };
        match entry(line) {
            Ok((marker, names, key)) => entries.push(Entry { place, marker, names, key }),
            Err(why) => notes.push(format!("{place} was left out: {why}")),
        }
    }
    (entries, notes)
}

fn entry(line: &str) -> Result<(Marker, String, HostKey), &'static str> {
    let blank = [' ', '\t'];
    let (marker, rest) = match line.split_once(blank) {
        Some(("@cert-authority", rest)) => (Marker::CertAuthority, rest),
        Some(("@revoked", rest)) => (Marker::Revoked, rest),
        _ if line.starts_with('@') => return Err("its marker is unknown"),
        _ => (Marker::Plain, line),
    };
    let (names, key) = rest.trim_start_matches(blank).split_once(blank).ok_or("it has no key")?;
    let key = HostKey::from_text(key).ok_or("its key is none")?;
    Ok((marker, names.to_owned(), key))
}

#[cfg(test)]
mod tests {
    use super::{Marker, entries};
    use std::path::Path;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP7zjQ33s+Mz48Uv/cXS7vqnmyitb5QebM0EgjhFEHBl";

    #[test]
    fn markers_names_keys_and_comments() {
        let text = format!(
            "# x\n\n  a,b {KEY} # comment\n@revoked\t* \t{KEY}\n@cert-authority *.example.org {KEY} ca\r\n"
        );
        let (entries, notes) = entries(Path::new("kh"), &text);
        assert!(notes.is_empty(), "{notes:?}");
        let found: Vec<_> = entries.iter().map(|entry| (entry.place.line, entry.marker)).collect();
        assert_eq!(found, [(3, Marker::Plain), (4, Marker::Revoked), (5, Marker::CertAuthority)]);
        assert!(entries[0].is_of("b") && !entries[0].is_of("c"));
        assert_eq!(entries[0].key.to_text(), KEY);
    }

    #[test]
    fn lines_that_are_none_are_left_out_with_a_note() {
        let (_, base64) = KEY.split_once(' ').unwrap();
        for (line, why) in [
            ("host".to_owned(), "it has no key"),
            ("host ssh-ed25519".to_owned(), "its key is none"),
            ("host ssh-ed25519 AAAA".to_owned(), "its key is none"),
            (format!("host ssh-rsa {base64}"), "its key is none"),
            (format!("@unknown host {KEY}"), "its marker is unknown"),
        ] {
            let (found, notes) = entries(Path::new("kh"), &format!("\n{line}\nhost {KEY}"));
            assert_eq!((found.len(), notes), (1, vec![format!("kh:2 was left out: {why}")]), "{line}");
        }
    }
}
