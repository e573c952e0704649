//! What strings, templates and expressions may name, twice: as it is, and with every secret replaced by another value.
//! What comes out differently of the two depends on a secret, and is secret itself.

use crate::template::Names;
use serde_json::{Map, Value as Json};

/// Stands for a secret in the second rendering. Never leaves the compiler.
const MASK: &str = "\u{1}one-secret\u{1}";
/// Stands for a secret that happens to equal [`MASK`].
const OTHER_MASK: &str = "\u{1}another\u{1}";

/// A value as it is and, where it depends on a secret, as it would be with another secret.
#[derive(Clone, PartialEq)]
pub struct Both {
    /// As it is.
    pub real: Json,
    /// With secrets replaced; `None` where none is in it.
    pub masked: Option<Json>,
}

/// Says nothing: it may hold secrets.
impl std::fmt::Debug for Both {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Both")
    }
}

impl Both {
    /// A value without a secret.
    pub fn plain(real: Json) -> Self {
        Self { real, masked: None }
    }

    /// Both renderings of one thing.
    pub fn new(real: Json, masked: Option<Json>) -> Self {
        let masked = masked.filter(|masked| *masked != real);
        Self { real, masked }
    }

    /// With other secrets.
    pub fn masked(&self) -> &Json {
        self.masked.as_ref().unwrap_or(&self.real)
    }

    /// True where a secret is in it.
    pub fn is_secret(&self) -> bool {
        self.masked.is_some()
    }

    /// Every string in it becomes secret.
    pub fn hide(self) -> Self {
        let masked = mask(&self.real);
        Self::new(self.real, Some(masked))
    }
}

/// Every string replaced.
pub fn mask(value: &Json) -> Json {
    match value {
        Json::String(text) => Json::String(if text == MASK { OTHER_MASK } else { MASK }.to_owned()),
        Json::Array(items) => Json::Array(items.iter().map(mask).collect()),
        Json::Object(map) => Json::Object(map.iter().map(|(key, item)| (key.clone(), mask(item))).collect()),
        other => other.clone(),
    }
}

/// Names and their values.
#[derive(Clone)]
pub struct Context {
    real: Names,
    masked: Option<Names>,
}

impl Default for Context {
    fn default() -> Self {
        Self { real: Names::from(Json::Object(Map::new())), masked: None }
    }
}

impl Context {
    /// As it is.
    pub fn real(&self) -> &Names {
        &self.real
    }

    /// With other secrets; `None` where there is no secret.
    pub fn masked(&self) -> Option<&Names> {
        self.masked.as_ref()
    }

    /// Gives a name a value.
    pub fn set(&mut self, name: &str, value: Both) {
        self.put(value, |names, value| {
            names.insert(name.to_owned(), value);
        });
    }

    /// Gives `outer.inner` a value, where `outer` has been given a table.
    pub fn set_in(&mut self, outer: &str, inner: &str, value: Both) {
        self.put(value, |names, value| {
            if let Some(Json::Object(table)) = names.get_mut(outer) {
                table.insert(inner.to_owned(), value);
            }
        });
    }

    /// Forgets a name.
    pub fn unset(&mut self, name: &str) {
        for names in std::iter::once(&mut self.real).chain(&mut self.masked) {
            if let Json::Object(table) = names.data_mut() {
                table.remove(name);
            }
        }
    }

    /// Puts a value into both renderings; the second one begins with the first secret.
    fn put(&mut self, value: Both, put: impl Fn(&mut Map<String, Json>, Json)) {
        if self.masked.is_none() && value.is_secret() {
            self.masked = Some(self.real.clone());
        }
        if let Some(Json::Object(table)) = self.masked.as_mut().map(Names::data_mut) {
            put(table, value.masked().clone());
        }
        if let Json::Object(table) = self.real.data_mut() {
            put(table, value.real);
        }
    }
}
