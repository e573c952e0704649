//! Patterns as ssh_config(5) and sshd(8) have them: `*` and `?`, a `!` before what is excluded. No brackets, no classes.

/// Does the whole text match? `*` is any run of characters, `?` one of them. Time is bounded by the product of the lengths.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut here) = (0, 0);
    // The last star, and how much of the text it has been taken to stand for.
    let mut star: Option<(usize, usize)> = None;
    while here < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, here));
                at += 1;
            }
            Some(&c) if c == '?' || c == text[here] => {
                at += 1;
                here += 1;
            }
            _ => {
                let Some((back, taken)) = star else { return false };
                star = Some((back, taken + 1));
                (at, here) = (back + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// Does one of the patterns match, and none of those behind a `!`?
pub(crate) fn any<'a>(patterns: impl IntoIterator<Item = &'a str>, text: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(excluded) if matches(excluded, text) => return false,
            Some(_) => {}
            None => found |= matches(pattern, text),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{any, matches};

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*.example.org", "a.b.example.org", true),
            ("*.example.org", "example.org", false),
            ("a*b*c", "axxbxbxc", true),
            ("a*b*c", "axxbxbx", false),
            ("a**", "a", true),
            ("[ab]", "a", false),
            ("?", "ä", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(!matches(&"*a".repeat(2000), &"b".repeat(2000)), "in no time");
    }

    #[test]
    fn what_is_excluded_is_stronger_wherever_it_stands() {
        assert!(any(["a", "b*"], "bc"));
        assert!(!any(["*", "!bc"], "bc"));
        assert!(!any(["!bc", "*"], "bc"));
        assert!(!any(["!x"], "bc"), "an exclusion alone matches nothing");
        assert!(!any([], "bc"));
    }
}
