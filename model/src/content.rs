//! The bytes of a file: held, kept elsewhere under their digest, or secret.

use crate::{Digest, Secret, SourceTree};
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Key of the JSON object that stands for bytes kept in a blob store: `{"$blob": [sha256, size]}`.
const BLOB_KEY: &str = "$blob";

/// The wanted bytes of a file. Serialized it is a reference, `{"$blob": [sha256, size]}`, and nothing at all of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The bytes themselves.
    Held(Held),
    /// In a blob store under this digest; the size is in bytes.
    Stored(Digest, u64),
    /// Secret bytes.
    Hidden(Secret<Arc<[u8]>>),
}

/// Bytes at hand. Their digest is computed when it is first asked for: many contents are only passed on.
#[derive(Clone, Debug)]
pub struct Held {
    bytes: Arc<[u8]>,
    digest: OnceLock<Digest>,
}

impl Held {
    /// The bytes.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Held {}

impl Content {
    /// Holds `bytes`.
    pub fn held(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Held(Held { bytes: bytes.into(), digest: OnceLock::new() })
    }

    /// SHA-256 of the bytes. That of a secret must not be stored or shown: it can be guessed at.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Held(held) => *held.digest.get_or_init(|| Digest::of(&held.bytes)),
            Self::Stored(digest, _) => *digest,
            Self::Hidden(bytes) => Digest::of(bytes.expose()),
        }
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Held(held) => held.bytes.len() as u64,
            Self::Stored(_, size) => *size,
            Self::Hidden(bytes) => bytes.expose().len() as u64,
        }
    }

    /// True where the bytes must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Hidden(_))
    }

    /// The JSON that stands for bytes of a blob store.
    pub fn reference(digest: Digest, size: u64) -> serde_json::Value {
        serde_json::json!({ BLOB_KEY: [digest, size] })
    }

    /// Digest and size that such JSON refers to; `None` for any other value.
    pub fn referred(value: &serde_json::Value) -> Option<(Digest, u64)> {
        let map = value.as_object().filter(|map| map.len() == 1)?;
        serde_json::from_value(map.get(BLOB_KEY)?.clone()).ok()
    }

    /// Digests and sizes of all that is referred to anywhere in `value`.
    pub fn all_referred(value: &serde_json::Value) -> BTreeMap<Digest, u64> {
        fn collect(value: &serde_json::Value, found: &mut BTreeMap<Digest, u64>) {
            if let Some((digest, size)) = Content::referred(value) {
                found.insert(digest, size);
                return;
            }
            if let Some(files) = SourceTree::referred(value) {
                return found.extend(files);
            }
            match value {
                serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
                serde_json::Value::Object(map) => map.values().for_each(|item| collect(item, found)),
                _ => {}
            }
        }
        let mut found = BTreeMap::new();
        collect(value, &mut found);
        found
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Hidden(secret) => map.serialize_entry(crate::SECRET_KEY, secret)?,
            _ => map.serialize_entry(BLOB_KEY, &(self.digest(), self.size()))?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Content, E> {
        Ok(Content::held(text.as_bytes()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        use base64::Engine as _;
        let Some(key) = map.next_key::<String>()? else { return Err(de::Error::custom("expected a string")) };
        if key == BLOB_KEY {
            let (digest, size) = map.next_value::<(Digest, u64)>()?;
            return Ok(Content::Stored(digest, size));
        }
        let text: String = map.next_value()?;
        match base64::engine::general_purpose::STANDARD.decode(text) {
            Ok(bytes) if key == crate::SECRET_KEY => Ok(Content::Hidden(Secret::new(bytes.into()))),
            // The redacted form, read back from a journal: the bytes are gone, and must be.
            Err(_) if key == crate::SECRET_KEY => Ok(Content::Hidden(Secret::new(Arc::new([])))),
            _ => Err(de::Error::custom("expected a string")),
        }
    }
}

/// In the schema content is a string which the compiler may replace by a reference (`x-keel-text`).
impl schemars::JsonSchema for Content {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Content".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "x-keel-text": true })
    }

    fn inline_schema() -> bool {
        true
    }
}
