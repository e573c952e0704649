//! Regular expressions as users write them, in `line` and in checks. Classes of Unicode are those of its general categories: tables of scripts and
//! of other properties would be a fortieth of what a push carries to a host.

use regex::bytes::Regex;

/// The general categories by the short names of Unicode (UAX #44, table 12), without that of surrogates, which no text has.
const CATEGORIES: [&str; 37] = [
    "C", "Cc", "Cf", "Cn", "Co", "L", "LC", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd",
    "Nl", "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp",
    "Zs",
];

/// Compiles it, or says in one line why not.
pub fn pattern(text: &str) -> Result<Regex, String> {
    if let Some(class) = other_class(text) {
        return Err(format!("`{class}` is no general category of Unicode, such as L or Lu"));
    }
    Regex::new(text).map_err(|error| {
        // The last line says what is wrong; those before it draw the expression.
        let text = error.to_string();
        text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })
}

/// The first class, as in `\p{Greek}`, that is no general category.
fn other_class(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('\\') {
        let mut chars = after.chars();
        let is_class = matches!(chars.next(), Some('p' | 'P'));
        rest = chars.as_str();
        if is_class {
            let braced = rest.strip_prefix('{').map(|inner| inner.split('}').next().unwrap_or(inner));
            let name = braced.unwrap_or_else(|| rest.get(..1).unwrap_or(rest));
            if !CATEGORIES.contains(&name) {
                return Some(name);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{other_class, pattern};

    #[test]
    fn classes_are_general_categories() {
        for text in [r"\pL", r"\p{Lu}+\P{Nd}", r"\\p{2}", r"\w\s\b", r"[\p{L}\d]", "p{2}"] {
            assert_eq!(other_class(text), None, "{text}");
            assert!(pattern(text).is_ok(), "{text}");
        }
        for (text, class) in
            [(r"a\p{Greek}", "Greek"), (r"\\\p{sc=Greek}", "sc=Greek"), (r"\p{^L}", "^L"), (r"\pé", "é")]
        {
            let why = pattern(text).expect_err(text);
            assert_eq!(why, format!("`{class}` is no general category of Unicode, such as L or Lu"));
        }
    }

    #[test]
    fn all_categories_and_cases_are_there() {
        for name in super::CATEGORIES {
            assert!(pattern(&format!(r"\p{{{name}}}")).is_ok(), "{name}");
        }
        assert!(pattern("(?i)É").expect("it is one").is_match("é".as_bytes()));
        assert_eq!(pattern("(").err().as_deref(), Some("unclosed group"));
    }
}
