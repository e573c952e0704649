//! A host's public key as the inventory gives it: `TYPE BASE64 [COMMENT]`, a line of `/etc/ssh/ssh_host_*_key.pub`. Only its
//! form is checked (RFC 4253, section 6.6); whether it is the host's is found out on connecting.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What sshd(8) has host keys of.
const TYPES: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// The key without its comment.
///
/// Errors with what is wrong with it, and what to write.
pub fn checked(text: &str) -> Result<String, (String, String)> {
    let wrong = |what: &str, help: &str| Err((what.to_owned(), help.to_owned()));
    let form = "write the line of /etc/ssh/ssh_host_ed25519_key.pub on the host, \"ssh-ed25519 AAAA…\"";
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [kind, body, ..] = words.as_slice() else {
        return match words.first() {
            Some(word) if word.starts_with("SHA256:") || word.starts_with("MD5:") => {
                wrong("this is a fingerprint, not a key", form)
            }
            _ => wrong("this is no public key", form),
        };
    };
    if text.contains("PRIVATE KEY") {
        return wrong("this is a private key, which must stay on the host", form);
    }
    if !TYPES.contains(kind) {
        return if TYPES.contains(body) {
            wrong("this is a line of known_hosts", "leave out the name in front of the key")
        } else {
            wrong("this is no public key of a type that hosts have", form)
        };
    }
    match STANDARD.decode(body) {
        Ok(bytes) if fields(&bytes).is_some_and(|fields| fields.first() == Some(&kind.as_bytes())) => {
            Ok(format!("{kind} {body}"))
        }
        _ => wrong("this key is cut off or damaged", "copy the whole line again"),
    }
}

/// The fields of a key blob, each with its length before it; `None` where they do not end where the blob does.
fn fields(mut rest: &[u8]) -> Option<Vec<&[u8]>> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (length, tail) = rest.split_first_chunk()?;
        let (field, tail) = tail.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        fields.push(field);
        rest = tail;
    }
    (fields.len() > 1).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::checked;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEmcSyVF8gvo6pHYhj8Cz6g0i1sAt4ynnQWfRS3V5bGn";

    #[test]
    fn a_key_is_taken_without_its_comment() {
        assert_eq!(checked(&format!(" {KEY}  root@web1\n")).unwrap(), KEY);
    }

    #[test]
    fn what_else_people_paste_is_told_apart() {
        let cut = &KEY[..KEY.len() - 4];
        let other = KEY.replacen("ssh-ed25519", "ssh-rsa", 1);
        for (text, what) in [
            ("", "this is no public key"),
            ("AAAAC3", "this is no public key"),
            ("SHA256:abc", "this is a fingerprint, not a key"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", "this is a private key, which must stay on the host"),
            ("a b", "this is no public key of a type that hosts have"),
            (&format!("web1 {KEY}"), "this is a line of known_hosts"),
            (cut, "this key is cut off or damaged"),
            (&other, "this key is cut off or damaged"),
            ("ssh-ed25519 AAAA", "this key is cut off or damaged"),
        ] {
            assert_eq!(checked(text).unwrap_err().0, what, "{text}");
        }
    }
}
