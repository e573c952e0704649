//! What a host says of itself, looked at before it reaches the compiler: nothing endless, nothing that steers a terminal. What the
//! words mean is not judged here; they stay the host's words.

use model::Facts;

/// Most bytes of one fact.
const LONGEST: usize = 256;

/// Most entries of a list.
const MOST: usize = 1024;

/// Checks what a host says of itself.
///
/// # Errors
/// Which fact is none, in words.
pub fn check(facts: &Facts) -> Result<(), String> {
    let Facts { os, hostname, arch, deb_arch, kernel, addresses, init, virtualization, .. } = facts;
    let single = [
        ("os.id", &os.id),
        ("os.version", &os.version),
        ("os.codename", &os.codename),
        ("os.name", &os.name),
        ("hostname", hostname),
        ("arch", arch),
        ("deb_arch", deb_arch),
        ("kernel", kernel),
        ("init", init),
        ("virtualization", virtualization),
    ];
    let lists = [("os.id_like", &os.id_like), ("addresses", addresses)];
    if let Some((name, _)) = lists.iter().find(|(_, list)| list.len() > MOST) {
        return Err(format!("the fact `{name}` has more than {MOST} entries"));
    }
    let listed = lists.iter().flat_map(|(name, list)| list.iter().map(move |one| (*name, one)));
    for (name, text) in single.into_iter().chain(listed) {
        if text.len() > LONGEST {
            return Err(format!("the fact `{name}` has more than {LONGEST} bytes"));
        }
        if text.chars().any(is_powerful) {
            return Err(format!("the fact `{name}` holds a control character"));
        }
    }
    Ok(())
}

/// Control characters, and those that turn the direction of text (Unicode's `Bidi_Control`).
fn is_powerful(character: char) -> bool {
    let turns = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || turns
}

#[cfg(test)]
mod tests {
    use super::check;
    use model::{Facts, OsFacts};

    #[test]
    fn facts_are_short_and_plain() {
        let host = |hostname: &str| Facts { hostname: hostname.to_owned(), ..Facts::default() };
        let os = OsFacts { id_like: vec!["\n".to_owned()], ..OsFacts::default() };
        for (facts, want) in [
            (host("größe-1"), None),
            (host(&"x".repeat(256)), None),
            (host(&"x".repeat(257)), Some("the fact `hostname` has more than 256 bytes")),
            (host("a\u{1b}[31m"), Some("the fact `hostname` holds a control character")),
            (host("a\u{202e}b"), Some("the fact `hostname` holds a control character")),
            (Facts { os, ..host("h") }, Some("the fact `os.id_like` holds a control character")),
            (
                Facts { addresses: vec![String::new(); 1025], ..host("h") },
                Some("the fact `addresses` has more than 1024 entries"),
            ),
        ] {
            assert_eq!(check(&facts).err().as_deref(), want);
        }
    }
}
