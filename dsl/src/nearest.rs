//! "Did you mean": the known word nearest to one that is not known. Pure, and silent where nothing is near.

/// Longer words are not compared, in bytes.
const LONGEST: usize = 200;

/// The word of `known` that `word` was probably meant to be; none where all are further than a third of its length
/// (one edit for short words). Of equally near words the first in order of the alphabet, so that output is stable.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance of long words takes long, and no name is so long.
    let short = |each: &str| each.len() <= LONGEST;
    let limit = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|each| short(word) && short(each))
        .map(|each| (distance(word, each), each))
        .filter(|(far, each)| *far <= limit && *each != word && !word.is_empty())
        .min()
        .map(|(_, each)| each)
}

/// `did you mean X?` where something is near.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|near| format!("did you mean `{near}`?"))
}

/// Edits between two words; case and the choice of `-` or `_` count nothing.
fn distance(one: &str, other: &str) -> usize {
    let plain = |word: &str| word.to_lowercase().replace('-', "_");
    strsim::damerau_levenshtein(&plain(one), &plain(other))
}

/// `did you mean X?`, or the known words where nothing is near: at most twelve, so that a list stays a line.
pub fn advice<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut known: Vec<&str> = known.into_iter().collect();
    if let Some(near) = nearest(word, known.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    known.sort_unstable();
    known.dedup();
    let shown = known.iter().take(12).map(|each| format!("`{each}`")).collect::<Vec<_>>().join(", ");
    match known.len() {
        0 => None,
        1..=12 => Some(format!("there is {shown}")),
        more => Some(format!("there is {shown} and {} more", more - 12)),
    }
}

#[cfg(test)]
mod tests {
    use super::{advice, nearest};

    #[test]
    fn finds_what_was_meant() {
        for (word, known, expected) in [
            ("ensrue", vec!["ensure", "mode"], Some("ensure")),
            ("tls_cert", vec!["tls-cert", "tls_key"], Some("tls-cert")),
            ("Port", vec!["port", "ports"], Some("port")),
            ("x", vec!["abc"], None),
            ("server_name", vec!["listen"], None),
            ("", vec!["abcd"], None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }

    #[test]
    fn lists_what_there_is_where_nothing_is_near() {
        assert_eq!(advice("zzz", ["b", "a"]).as_deref(), Some("there is `a`, `b`"));
        assert_eq!(advice("zzz", []), None);
    }
}
