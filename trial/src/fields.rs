//! Keys of one table of a file of tests, taken one by one; what is left in the end is unknown. What is wrong is collected with its
//! place, so that all of it is told at once.

use dsl::document::{Entry, Item, Table, Value};
use dsl::{Extent, Source};
use model::Diagnostic;
use std::sync::Arc;

/// The keys of one table.
pub struct Fields<'a> {
    source: &'a Arc<Source>,
    /// What the table is, for messages, such as `[unit.defaults]`.
    what: String,
    left: Vec<&'a Entry>,
    known: Vec<&'static str>,
    wrong: Vec<Diagnostic>,
}

impl<'a> Fields<'a> {
    /// All keys of a table.
    pub fn of(source: &'a Arc<Source>, what: impl Into<String>, table: &'a Table) -> Self {
        let left = table.entries.iter().collect();
        Self { source, what: what.into(), left, known: Vec::new(), wrong: Vec::new() }
    }

    /// The entry of a key, which is known from now on.
    pub fn take(&mut self, key: &'static str) -> Option<&'a Entry> {
        self.known.push(key);
        let at = self.left.iter().position(|entry| entry.key == key)?;
        Some(self.left.remove(at))
    }

    /// The entries that were not taken. None of them is unknown then.
    pub fn rest(&mut self) -> Vec<&'a Entry> {
        std::mem::take(&mut self.left)
    }

    /// A string.
    pub fn text(&mut self, key: &'static str) -> Option<(&'a str, Extent)> {
        let item = &self.take(key)?.item;
        match &item.value {
            Value::Text(text) => Some((text, item.at)),
            other => self.mistyped(key, "a string", other, item.at),
        }
    }

    /// Strings.
    pub fn texts(&mut self, key: &'static str) -> Vec<(&'a str, Extent)> {
        let Some(entry) = self.take(key) else { return Vec::new() };
        let Value::Array(items) = &entry.item.value else {
            self.mistyped::<()>(key, "an array of strings", &entry.item.value, entry.item.at);
            return Vec::new();
        };
        let text = |item: &'a Item| match &item.value {
            Value::Text(text) => Some((text.as_str(), item.at)),
            other => self.mistyped(key, "an array of strings", other, item.at),
        };
        items.iter().filter_map(text).collect()
    }

    /// A table, and where its key stands.
    pub fn table(&mut self, key: &'static str) -> Option<(&'a Table, Extent)> {
        let entry = self.take(key)?;
        match &entry.item.value {
            Value::Table(table) => Some((table, entry.at)),
            other => self.mistyped(key, "a table", other, entry.item.at),
        }
    }

    /// True or false; false where it is not said.
    pub fn flag(&mut self, key: &'static str) -> bool {
        match self.take(key).map(|entry| &entry.item) {
            None => false,
            Some(Item { value: Value::Bool(flag), .. }) => *flag,
            Some(item) => self.mistyped(key, "true or false", &item.value, item.at).unwrap_or_default(),
        }
    }

    fn mistyped<T>(&mut self, key: &str, wanted: &str, found: &Value, at: Extent) -> Option<T> {
        let message = format!("`{key}` of {} is {wanted}, not {}", self.what, found.type_name());
        self.refuse(("wrong-type", message), at, format!("write {wanted}"));
        None
    }

    /// One more thing that is wrong.
    pub fn refuse(&mut self, (code, message): (&'static str, String), at: Extent, help: impl Into<String>) {
        self.wrong.push(Diagnostic::error(code, message, self.source.span(at)).help(help));
    }

    /// What others have found wrong.
    pub fn add(&mut self, wrong: impl IntoIterator<Item = Diagnostic>) {
        self.wrong.extend(wrong);
    }

    /// All that is wrong, unknown keys included.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        for entry in self.rest() {
            let message = format!("unknown key `{}` of {}", entry.key, self.what);
            let help = dsl::advice(&entry.key, self.known.iter().copied());
            let help = help.unwrap_or_else(|| "leave it out".to_owned());
            self.refuse(("unknown-key", message), entry.at, help);
        }
        self.wrong
    }
}
