//! Lists of patterns as OpenSSH has them (ssh_config(5), PATTERNS): `*` and `?`, parts between commas, a `!` before what is left out.

/// Whether a list matches: some part does, and none with a `!`.
pub fn matches(list: &str, text: &str) -> bool {
    let mut found = false;
    for part in list.split(',') {
        match part.strip_prefix('!') {
            Some(part) if one(part.as_bytes(), text.as_bytes()) => return false,
            Some(_) => {}
            None => found |= one(part.as_bytes(), text.as_bytes()),
        }
    }
    found
}

/// One pattern, in time linear in the text for each `*`.
fn one(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut next, mut star) = (0, 0, None);
    while let Some(byte) = text.get(next) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, next));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted == byte => (at, next) = (at + 1, next + 1),
            _ => match star {
                // The last star takes one more.
                Some((back, taken)) => {
                    (at, next) = (back + 1, taken + 1);
                    star = Some((back, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn as_in_ssh_config() {
        for (list, text, is) in [
            ("file", "file", true),
            ("a,evenkeel-*", "evenkeel-bundle", true),
            ("*", "x", true),
            ("?", "xy", false),
            ("*@example.org,!bob@*", "ann@example.org", true),
            ("*@example.org,!bob@*", "bob@example.org", false),
            ("!bob", "ann", false),
            ("a*b*c", "axxbxbxc", true),
            ("a*b*c", "axxbxbx", false),
            ("", "", true),
        ] {
            assert_eq!(matches(list, text), is, "{list} {text}");
        }
    }
}
