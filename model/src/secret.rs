//! A value that must not be seen. Debug, Display and Serialize redact; only `expose` gives it out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// What stands in for a secret wherever one would be shown.
pub const REDACTED: &str = "<secret>";

/// The one key of the JSON object that stands for a secret: in a catalog `{"$secret": "<name in [`Secrets`]>"}`, and
/// just before a kind is decoded, in memory only, `{"$secret": "<base64 of the bytes>"}`.
pub const SECRET_KEY: &str = "$secret";

/// A secret. There is no way to print or serialize what it holds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Taints `value`.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Call sites are the sinks to audit.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

/// Takes a plain string, or the resolved form of [`SECRET_KEY`].
impl<'de> Deserialize<'de> for Secret<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match crate::Text::deserialize(deserializer)? {
            crate::Text::Plain(text) => Ok(Self(text)),
            crate::Text::Hidden(secret) => Ok(secret),
        }
    }
}

/// In the schema a secret is a string that is only ever written (`writeOnly`), by which the compiler knows it.
impl schemars::JsonSchema for Secret<String> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "writeOnly": true })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// True where a reference to a secret stands anywhere in `value`.
pub fn holds_secret(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Object(map) => map.contains_key(SECRET_KEY) || map.values().any(holds_secret),
        serde_json::Value::Array(items) => items.iter().any(holds_secret),
        _ => false,
    }
}

/// The secrets of one catalog, by the name that stands in the catalog. Held in memory only; cannot be serialized.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, Secret<Vec<u8>>>);

impl Secrets {
    /// Keeps `bytes` and returns the JSON that stands for them in the catalog.
    pub fn keep(&mut self, name: String, bytes: Vec<u8>) -> serde_json::Value {
        let marker = serde_json::json!({ SECRET_KEY: &name });
        self.0.insert(name, Secret::new(bytes));
        marker
    }

    /// True where nothing is secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All values, for masking what a command prints.
    pub fn values(&self) -> impl Iterator<Item = &Secret<Vec<u8>>> {
        self.0.values()
    }

    /// Names and values, for a pipe to a process of our own.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Secret<Vec<u8>>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Replaces each reference in `value` by the bytes it stands for. The result must never be written anywhere.
    ///
    /// Errors with the name of a secret that is not here.
    pub fn resolve(&self, value: &mut serde_json::Value) -> Result<(), String> {
        match value {
            serde_json::Value::Array(items) => items.iter_mut().try_for_each(|item| self.resolve(item)),
            serde_json::Value::Object(map) => {
                if let Some(serde_json::Value::String(name)) = map.get(SECRET_KEY) {
                    let bytes = self.0.get(name).ok_or_else(|| name.clone())?;
                    let text = STANDARD.encode(bytes.expose());
                    map.insert(SECRET_KEY.to_owned(), serde_json::Value::String(text));
                    return Ok(());
                }
                map.values_mut().try_for_each(|item| self.resolve(item))
            }
            _ => Ok(()),
        }
    }
}
