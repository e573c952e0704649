//! What a file of a private key can be told to be without its passphrase: only enough to know which transport can use it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why only the system's `ssh` can log in with it, if so: a certificate beside it, or a key that is in a hardware token. A key that is
/// not there is none of these.
///
/// # Errors
/// It cannot be told.
pub(super) fn needs_openssh(path: &Path) -> io::Result<Option<String>> {
    let certificate = beside(path, "-cert.pub");
    if certificate.try_exists()? {
        return Ok(Some(format!("certificate {}", certificate.display())));
    }
    let kind = match text(&beside(path, ".pub"))? {
        Some(public) => public.split_whitespace().next().map(str::to_owned),
        None => text(path)?.and_then(|private| kind(&private)),
    };
    let token = kind.filter(|kind| kind.starts_with("sk-"));
    Ok(token.map(|kind| format!("{kind} key {}", path.display())))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn text(path: &Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The type of the public key that OpenSSH keeps in clear in a private one (PROTOCOL.key): magic, three strings, a count, the key.
/// `None` for other formats, which know no tokens.
fn kind(private: &str) -> Option<String> {
    let body = private.split_once("-----BEGIN OPENSSH PRIVATE KEY-----")?.1.split_once("-----END")?.0;
    let bytes = STANDARD.decode(body.split_whitespace().collect::<String>()).ok()?;
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    for _ in 0..3 {
        rest = string(rest)?.1;
    }
    let (public, _) = string(rest.get(4..)?)?;
    String::from_utf8(string(public)?.0.to_vec()).ok()
}

/// A string with its length before it, and what follows.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::needs_openssh;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use std::fs::OpenOptions;
    use std::io::Write as _;

    /// What stands in clear in a private key of this type; nothing behind it is looked at.
    fn private(kind: &str) -> String {
        let string = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
        let public = string(&[string(kind.as_bytes()), string(b"key")].concat());
        let head =
            [string(b"none"), string(b"none"), string(b""), 1_u32.to_be_bytes().to_vec(), public].concat();
        let body = STANDARD.encode([&b"openssh-key-v1\0"[..], &head].concat());
        let (start, end) = body.split_at(20);
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{start}\n{end}\n-----END OPENSSH PRIVATE KEY-----\n")
    }

    #[test]
    fn keys_in_tokens_and_certificates_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let sk = "sk-ssh-ed25519@openssh.com";
        for (name, files, expected) in [
            ("a", vec![("a", private(sk))], Some("sk-ssh-ed25519@openssh.com key ")),
            ("b", vec![("b", private("ssh-ed25519"))], None),
            ("c", vec![("c", private("ssh-ed25519")), ("c.pub", format!("{sk} AAAA"))], Some("sk-ssh")),
            ("d", vec![("d-cert.pub", String::new())], Some("certificate ")),
            ("e", vec![("e", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n".to_owned())], None),
            ("f", vec![("f", private(sk)[..60].to_owned())], None),
            ("g", vec![], None),
        ] {
            for (file, text) in files {
                let mut file =
                    OpenOptions::new().write(true).create_new(true).open(dir.path().join(file)).unwrap();
                file.write_all(text.as_bytes()).unwrap();
            }
            let found = needs_openssh(&dir.path().join(name)).unwrap();
            assert_eq!(found.is_some(), expected.is_some(), "{name}: {found:?}");
            assert!(found.unwrap_or_default().starts_with(expected.unwrap_or_default()), "{name}");
        }
    }
}
