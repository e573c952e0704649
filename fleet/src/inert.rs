//! Words of a host, made safe to show: capped, on one line, nothing in them that could steer a terminal or turn text around.

/// Most characters of what is quoted.
const SHOWN: usize = 600;

/// What is quoted of `bytes`: the end, which is where programs say why they end. Its lines are joined by ` | `.
pub fn tail(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
    let joined: String = lines.collect::<Vec<_>>().join(" | ").chars().flat_map(shown).collect();
    let count = joined.chars().count();
    if count <= SHOWN {
        return joined;
    }
    let kept: String = joined.chars().skip(count - SHOWN).collect();
    format!("… {kept}")
}

/// A character as it is, where it is printable.
fn shown(character: char) -> impl Iterator<Item = char> {
    let is_plain = matches!(character, '"' | '\'' | '\\' | ' ');
    let plain = is_plain.then_some(character);
    plain.into_iter().chain((!is_plain).then(|| character.escape_debug()).into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::tail;

    #[test]
    fn what_is_quoted_is_one_short_line_without_power() {
        for (bytes, want) in [
            (&b"  one\r\n\n two 'x' \\ \n"[..], "one | two 'x' \\"),
            (b"\x1b[31mred\x07", "\\u{1b}[31mred\\u{7}"),
            ("a\u{202e}b".as_bytes(), "a\\u{202e}b"),
            (b"\xff", "\u{fffd}"),
            (b"", ""),
        ] {
            assert_eq!(tail(bytes), want);
        }
        let long = tail(format!("{}end", "x".repeat(100_000)).as_bytes());
        assert!(long.starts_with("… x") && long.ends_with("xend") && long.chars().count() == 602);
    }
}
