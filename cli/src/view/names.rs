//! Many names in few words: `web[1-3], db`. Pure.

/// One name, in three parts: what stands before its number, the number, what stands behind it.
struct Numbered<'a> {
    head: &'a str,
    digits: &'a str,
    tail: &'a str,
}

/// The number that tells the names of a series apart: the last one before the first dot, of at most 9 digits.
fn numbered(name: &str) -> Option<Numbered<'_>> {
    let label = name.find('.').unwrap_or(name.len());
    let end = name.get(..label)?.rfind(|c: char| c.is_ascii_digit())? + 1;
    let head = name.get(..end)?.trim_end_matches(|c: char| c.is_ascii_digit());
    let (digits, tail) = (name.get(head.len()..end)?, name.get(end..)?);
    (digits.len() <= 9).then_some(Numbered { head, digits, tail })
}

/// The names in their order; three or more of a series that follow each other are folded.
pub fn folded(names: &[String]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = names;
    while let Some((first, tail)) = rest.split_first() {
        let length = run_length(rest);
        match (numbered(first), rest.get(length - 1).and_then(|last| numbered(last))) {
            (Some(one), Some(last)) if length >= 3 => {
                parts.push(format!("{}[{}-{}]{}", one.head, one.digits, last.digits, one.tail));
                rest = rest.get(length..).unwrap_or_default();
            }
            _ => {
                parts.push(first.clone());
                rest = tail;
            }
        }
    }
    parts.join(", ")
}

/// How many of the first names count up by one; at least 1.
fn run_length(names: &[String]) -> usize {
    let follows = |pair: &[String]| {
        let [one, next] = pair else { return false };
        let (Some(one), Some(next)) = (numbered(one), numbered(next)) else { return false };
        let number = |it: &Numbered<'_>| it.digits.parse::<u32>().ok();
        let is_next = number(&one).zip(number(&next)).is_some_and(|(one, next)| one + 1 == next);
        let is_padded = one.digits.len() == next.digits.len()
            || !(one.digits.starts_with('0') || next.digits.starts_with('0'));
        is_next && is_padded && one.head == next.head && one.tail == next.tail
    };
    1 + names.windows(2).take_while(|pair| follows(pair)).count()
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn series_are_folded_and_nothing_else_is() {
        for (names, expected) in [
            ("", ""),
            ("web1", "web1"),
            ("web1 web2", "web1, web2"),
            ("web1 web2 web3 db", "web[1-3], db"),
            ("web8 web9 web10 web12", "web[8-10], web12"),
            ("web08 web09 web10", "web[08-10]"),
            ("web9 web010 web011", "web9, web010, web011"),
            ("a1.x2.org a2.x2.org a3.x2.org a4.x3.org", "a[1-3].x2.org, a4.x3.org"),
            ("db web3 web2 web1", "db, web3, web2, web1"),
            ("n4294967295 n4294967296 n4294967297", "n4294967295, n4294967296, n4294967297"),
            ("1 2 3", "[1-3]"),
        ] {
            let names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
            assert_eq!(folded(&names), expected);
        }
    }
}
