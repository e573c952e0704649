//! What a text is to be: a part of it, all of it, or an expression that it matches. One form for all subjects.

use super::ground::Wrote;
use crate::parts::pattern::pattern;
use model::{Failure, Problem, Shortfall};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// What a text is to be. A string is a part of it; a table says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// It holds this.
    Contains(String),
    /// It does not hold this.
    Lacks(String),
    /// It is this, but for white space at its ends.
    Equals(String),
    /// It matches this regular expression somewhere.
    Matches(String),
}

/// The most of a text that is shown, in characters.
const SHOWN: usize = 200;

impl Wanted {
    /// What is wrong with it, by the key where it stands.
    pub fn problem(&self, key: &str) -> Option<Problem> {
        let Self::Matches(text) = self else { return None };
        let why = pattern(text).err()?;
        Some(
            Problem::at(key, format!("`{text}` is no regular expression: {why}"))
                .help("the syntax is that of the crate regex: no look-around, no back references"),
        )
    }

    /// Where `seen` is not so; `what` is the key.
    ///
    /// # Errors
    /// What is wanted might stand in what was not kept.
    pub fn short(&self, what: &str, seen: &Wrote) -> Result<Option<Shortfall>, Failure> {
        let holds =
            |part: &str| part.is_empty() || memchr::memmem::find(&seen.bytes, part.as_bytes()).is_some();
        // Of a text that is not whole only what was found is known.
        let (is_so, is_known) = match self {
            Self::Contains(part) => (holds(part), seen.whole || holds(part)),
            Self::Lacks(part) => (!holds(part), seen.whole || holds(part)),
            Self::Equals(text) => (seen.bytes.trim_ascii() == text.trim().as_bytes(), seen.whole),
            Self::Matches(text) => {
                let matches = pattern(text).is_ok_and(|regex| regex.is_match(&seen.bytes));
                (matches, seen.whole || matches)
            }
        };
        match (is_so, is_known) {
            (_, false) => {
                let kept = seen.bytes.len();
                Err(Failure::unknown(what, format!("it is longer than the {kept} bytes that were looked at")))
            }
            (true, true) => Ok(None),
            (false, true) => Ok(Some(Shortfall::new(what, self, shown(&seen.bytes)))),
        }
    }
}

/// The beginning of a text, in one line, for people.
pub fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..SHOWN * 4).unwrap_or(bytes));
    let text = text.trim();
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let mut out: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    out = out.replace("\\\"", "\"").replace("\\'", "'");
    let more = if text.chars().count() > SHOWN || bytes.len() > SHOWN * 4 { "…" } else { "" };
    format!("`{out}{more}`")
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, text) = match self {
            Self::Contains(text) => ("", text),
            Self::Lacks(text) => ("no ", text),
            Self::Equals(text) => ("exactly ", text),
            Self::Matches(text) => ("a match of ", text),
        };
        write!(f, "{word}`{}`", text.escape_debug())
    }
}

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WantedVisitor)
    }
}

struct WantedVisitor;

/// The words of the table.
const WORDS: &[&str] = &["contains", "lacks", "equals", "matches"];

impl<'de> Visitor<'de> for WantedVisitor {
    type Value = Wanted;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string that it contains, or a table with `contains`, `lacks`, `equals` or `matches`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Wanted, E> {
        Ok(Wanted::Contains(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Wanted, A::Error> {
        let Some((key, text)) = map.next_entry::<String, String>()? else {
            return Err(de::Error::invalid_length(0, &self));
        };
        if map.next_key::<String>()?.is_some() {
            return Err(de::Error::custom("one of `contains`, `lacks`, `equals`, `matches` at a time"));
        }
        Ok(match key.as_str() {
            "contains" => Wanted::Contains(text),
            "lacks" => Wanted::Lacks(text),
            "equals" => Wanted::Equals(text),
            "matches" => Wanted::Matches(text),
            _ => return Err(de::Error::unknown_field(&key, WORDS)),
        })
    }
}

/// In the schema it is a string or a table.
impl schemars::JsonSchema for Wanted {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Wanted".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "object"] })
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Wanted, shown};
    use crate::checks::Wrote;

    fn short(wanted: serde_json::Value, seen: &[u8], whole: bool) -> String {
        let wanted: Wanted = serde_json::from_value(wanted).unwrap();
        match wanted.short("body", &Wrote { bytes: seen.to_vec(), whole }) {
            Ok(None) => "so".to_owned(),
            Ok(Some(short)) => short.to_string(),
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn a_text_is_held_to_what_is_wanted() {
        let json = |text: &str| serde_json::from_str(text).unwrap();
        let unknown = "cannot tell the state of body: it is longer than the 4 bytes that were looked at";
        for (wanted, seen, whole, said) in [
            ("\"b\"", "abc", true, "so"),
            ("\"b\"", "aaaa", false, unknown),
            ("\"a\"", "aaaa", false, "so"),
            ("{\"contains\": \"x\"}", "abc\n", true, "body: wanted `x`, saw `abc`"),
            ("{\"lacks\": \"x\"}", "abcd", false, unknown),
            ("{\"lacks\": \"b\"}", "abc", true, "body: wanted no `b`, saw `abc`"),
            ("{\"equals\": \"abc\"}", "abc\n", true, "so"),
            ("{\"equals\": \"abcd\"}", "abcd", false, unknown),
            ("{\"matches\": \"^b\"}", "abc", true, "body: wanted a match of `^b`, saw `abc`"),
            ("{\"matches\": \"(?m)^b\"}", "a\nb", true, "so"),
            ("\"x\"", "", true, "body: wanted `x`, saw nothing"),
        ] {
            assert_eq!(short(json(wanted), seen.as_bytes(), whole), said, "{wanted} {seen}");
        }
    }

    #[test]
    fn what_is_shown_is_inert_and_short() {
        assert_eq!(shown(b"\x1b[31mred\r\n\"x\""), "`\\u{1b}[31mred\\r\\n\"x\"`");
        assert_eq!(shown(&[b'a'; 5000]).chars().count(), 203);
    }
}
