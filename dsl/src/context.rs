//! What strings, templates and expressions may name, twice: as it is, and with every secret replaced by another value.
//! What comes out differently of the two depends on a secret, and is secret itself.

use crate::expr::{self, Expression, Variables};
use crate::template::{self, Names};
use crate::texts::Texts;
use serde_json::{Map, Value as Json};
use std::sync::Arc;

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
    real: Side,
    masked: Option<Side>,
    texts: Texts,
}

/// One of the two renderings.
#[derive(Clone)]
pub struct Side {
    names: Names,
    variables: Variables,
}

impl Side {
    /// The names as data.
    pub fn data(&self) -> &Json {
        self.names.data()
    }

    /// The value of an expression.
    pub fn eval(&self, expression: &Expression) -> Result<Json, expr::Error> {
        expression.eval_with(self.data(), &self.variables)
    }
}

impl Context {
    /// No name yet. What is rendered and evaluated is parsed into `texts`.
    pub fn new(texts: &Texts) -> Self {
        let names = Names::from(Json::Object(Map::new()));
        Self { real: Side { names, variables: Variables::default() }, masked: None, texts: texts.clone() }
    }

    /// As it is.
    pub fn real(&self) -> &Side {
        &self.real
    }

    /// With other secrets; `None` where there is no secret.
    pub fn masked(&self) -> Option<&Side> {
        self.masked.as_ref()
    }

    /// An expression, parsed.
    pub fn expression(&self, text: &str) -> Result<Arc<Expression>, expr::Error> {
        self.texts.expression(text)
    }

    /// A text rendered with the names of one side.
    pub fn render(&self, text: &str, side: &Side) -> Result<String, template::Error> {
        match template::printed(text, &side.names) {
            Some(printed) => Ok(printed),
            None => self.texts.template(text)?.render(&side.names),
        }
    }

    /// Gives a name a value.
    pub fn set(&mut self, name: &str, value: Both) {
        self.put(name, value, |names, value| {
            names.insert(name.to_owned(), value);
        });
    }

    /// Gives `outer.inner` a value, where `outer` has been given a table.
    pub fn set_in(&mut self, outer: &str, inner: &str, value: Both) {
        self.put(outer, value, |names, value| {
            if let Some(Json::Object(table)) = names.get_mut(outer) {
                table.insert(inner.to_owned(), value);
            }
        });
    }

    /// Forgets a name.
    pub fn unset(&mut self, name: &str) {
        for side in std::iter::once(&mut self.real).chain(&mut self.masked) {
            side.change(name, |names| {
                names.remove(name);
            });
        }
    }

    /// Puts a value into both renderings; the second one begins with the first secret.
    fn put(&mut self, name: &str, value: Both, put: impl Fn(&mut Map<String, Json>, Json)) {
        if self.masked.is_none() && value.is_secret() {
            self.masked = Some(self.real.clone());
        }
        if let Some(masked) = &mut self.masked {
            masked.change(name, |names| put(names, value.masked().clone()));
        }
        self.real.change(name, |names| put(names, value.real));
    }
}

impl Side {
    /// Changes what `name` stands for.
    fn change(&mut self, name: &str, change: impl FnOnce(&mut Map<String, Json>)) {
        self.variables.forget(name);
        if let Json::Object(names) = self.names.data_mut() {
            change(names);
        }
    }
}
