//! Blanks out the parts of Rust text that are no code, so that counting braces and words is honest. Lines stay
//! where they are. It is no parser: it knows comments, strings and characters (Rust reference, "Tokens").

/// What stays visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Code alone.
    Code,
    /// Code and comments; strings are blank.
    CodeAndComments,
}

/// `text` with all else replaced by blanks.
pub fn mask(text: &str, keep: Keep) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let (end, visible) = piece(&chars, at, keep);
        for c in &chars[at..end] {
            out.push(if visible || *c == '\n' { *c } else { ' ' });
        }
        at = end;
    }
    out
}

/// The end of the piece that begins at `at`, and whether it stays visible.
fn piece(chars: &[char], at: usize, keep: Keep) -> (usize, bool) {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => (line_end(chars, at), keep == Keep::CodeAndComments),
        '/' if next == Some('*') => (block_end(chars, at), keep == Keep::CodeAndComments),
        '"' => (string_end(chars, at + 1), false),
        '\'' => character_end(chars, at).map_or((at + 1, true), |end| (end, false)),
        'r' if !within_word(chars, at) => raw_end(chars, at).map_or((at + 1, true), |end| (end, false)),
        _ => (at + 1, true),
    }
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |n| at + n)
}

fn block_end(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// `'x'` or `'\…'`; none for a lifetime.
fn character_end(chars: &[char], at: usize) -> Option<usize> {
    if chars.get(at + 1) == Some(&'\\') {
        let close = chars[at + 3..].iter().position(|c| *c == '\'')?;
        return Some(at + 3 + close + 1);
    }
    (chars.get(at + 2) == Some(&'\'')).then_some(at + 3)
}

/// `r"…"`, `r#"…"#`; none for a word such as `r` or `r#type`.
fn raw_end(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    let open = at + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let closes = |i: &usize| {
        chars[*i] == '"' && chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
    };
    let close = (open + 1..chars.len()).find(closes)?;
    Some((close + 1 + hashes).min(chars.len()))
}

/// Is this the inside of a longer word? `br` counts as the start of a raw string.
fn within_word(chars: &[char], at: usize) -> bool {
    let before = |n: usize| at.checked_sub(n).map(|i| chars[i]);
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    is_word(before(1)) && (before(1) != Some('b') || is_word(before(2)))
}

#[cfg(test)]
mod tests {
    use super::{Keep, mask};

    fn code(text: &str) -> String {
        mask(text, Keep::Code).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_strings_are_blank() {
        assert_eq!(code("a // b {\nc /* d /* e */ f */ g"), "a c g");
        assert_eq!(code(r#"x("{ \" }", b"{")"#), "x( , b )");
        assert_eq!(code("y(r#\"{ \" \"#, br\"{\", r#type)"), "y( , b , r#type)");
    }

    #[test]
    fn lifetimes_are_code_and_characters_are_not() {
        assert_eq!(code("fn f<'a>(x: &'a str) -> char { '{' }"), "fn f<'a>(x: &'a str) -> char { }");
        assert_eq!(code(r"['\'', '\\', '\u{7b}', 'b']"), "[ , , , ]");
    }

    #[test]
    fn lines_stay_and_comments_can_be_kept() {
        let text = "let a = \"1\n2\"; // three\n";
        assert_eq!(mask(text, Keep::Code).lines().count(), 2);
        assert!(mask(text, Keep::CodeAndComments).contains("// three"));
    }
}
