//! One line of ssh_config(5) taken apart: its keyword, and its arguments with quotes and escapes resolved as OpenSSH does it. It knows
//! no keyword's meaning. Next: `read`.

/// Keyword in small letters, and the rest of the line as it is written. `None` for an empty line or a comment.
///
/// Between the two stands white space, or one `=` with or without it.
pub(super) fn split(line: &str) -> Option<(String, &str)> {
    let line = line.trim_matches([' ', '\t', '\r', '\n', '\x0c']);
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let blank = [' ', '\t'];
    let (keyword, rest) = match line.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
        Some((keyword, rest)) => (keyword, rest),
        None => line.split_at(line.find([' ', '\t', '=', '"']).unwrap_or(line.len())),
    };
    let rest = rest.trim_start_matches(blank);
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start_matches(blank);
    Some((keyword.to_ascii_lowercase(), rest))
}

/// The arguments: words parted by white space; `"` and `'` keep it, `\` keeps a quote, itself or (outside of quotes) a blank; a `#` that
/// begins a word begins a comment.
///
/// # Errors
/// What is wrong, for a quote that is never closed.
pub(super) fn arguments(rest: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut chars = rest.chars().peekable();
    loop {
        while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        if matches!(chars.peek(), None | Some('#')) {
            return Ok(words);
        }
        let (mut word, mut quote) = (String::new(), None);
        while let Some(c) = chars.next_if(|c| quote.is_some() || !matches!(c, ' ' | '\t')) {
            match (c, quote) {
                ('\\', _) => {
                    let kept = |c: &char| matches!(c, '"' | '\'' | '\\') || quote.is_none() && *c == ' ';
                    word.push(chars.next_if(kept).unwrap_or('\\'));
                }
                ('"' | '\'', None) => quote = Some(c),
                (_, Some(open)) if open == c => quote = None,
                _ => word.push(c),
            }
        }
        if quote.is_some() {
            return Err("a quote is never closed");
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::{arguments, split};

    #[test]
    fn keyword_and_rest() {
        for (line, expected) in [
            ("  Port 22 ", Some(("port", "22"))),
            ("PORT=22", Some(("port", "22"))),
            ("Port = 22\r", Some(("port", "22"))),
            ("Port\t==22", Some(("port", "=22"))),
            ("Host", Some(("host", ""))),
            ("\"Port\" 22", Some(("port", "22"))),
            ("IdentityFile\"a b\"", Some(("identityfile", "\"a b\""))),
            ("# Port 22", None),
            ("   ", None),
        ] {
            assert_eq!(split(line), expected.map(|(word, rest)| (word.to_owned(), rest)), "{line}");
        }
    }

    #[test]
    fn quotes_escapes_and_comments() {
        for (rest, expected) in [
            ("a  b\tc", &["a", "b", "c"][..]),
            ("\"a b\" 'c \"d'", &["a b", "c \"d"]),
            ("a\" b\"c", &["a bc"]),
            (r#"a\ b "c\ d" \"e \\ \x"#, &["a b", r"c\ d", "\"e", r"\", r"\x"]),
            ("a # b", &["a"]),
            ("a#b", &["a#b"]),
            ("\"\"", &[""]),
            ("", &[]),
        ] {
            assert_eq!(arguments(rest).unwrap(), expected, "{rest}");
        }
        assert!(arguments("\"a").is_err());
        assert!(arguments("a 'b\" c").is_err());
    }
}
