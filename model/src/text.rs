//! A string that may be secret.

use crate::{SECRET_KEY, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// UTF-8 text, plain or secret. In TOML always a plain string; the compiler decides by taint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Text {
    /// May be shown.
    Plain(String),
    /// Must not be shown.
    Hidden(Secret<String>),
}

impl Text {
    /// The text itself, secret or not.
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Hidden(secret) => secret.expose(),
        }
    }

    /// True where it must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Hidden(_))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::Plain(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        let bytes = resolved_secret(&mut map)?;
        let text = String::from_utf8(bytes).map_err(|_| de::Error::custom("the secret is not UTF-8"))?;
        Ok(Text::Hidden(Secret::new(text)))
    }
}

/// Reads the resolved form `{"$secret": base64}`.
pub(crate) fn resolved_secret<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Vec<u8>, A::Error> {
    match map.next_entry::<String, String>()? {
        Some((key, value)) if key == SECRET_KEY => {
            STANDARD.decode(value).map_err(|_| de::Error::custom("an unresolved secret"))
        }
        _ => Err(de::Error::custom("expected a string")),
    }
}

/// In the schema a text is a string that the compiler hides where the resource is `sensitive` (`x-keel-text`).
impl schemars::JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "x-keel-text": true })
    }

    fn inline_schema() -> bool {
        true
    }
}
