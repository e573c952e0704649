//! What a lone `{{ path }}` gives a key that takes text: a number or a boolean is printed, as it is within a longer
//! text. What a file says without braces stays as it is: its type may be a slip.

use crate::context::Both;
use crate::document::{Item, Value};
use model::{Field, Runtime, Taint};
use serde_json::Value as Json;

/// The value of a key with its numbers and booleans printed, where the key takes text and they come from `{{ … }}`.
/// A mode is no such text: 420 is not what `0o644` meant.
pub fn printed(field: &Field, item: &Item, value: Both) -> Both {
    if field.taint != Taint::Sensitive && field.runtime != Runtime::Path {
        return value;
    }
    Both::new(print(item, value.real), value.masked.map(|masked| print(item, masked)))
}

fn print(item: &Item, value: Json) -> Json {
    match (&item.value, value) {
        (Value::Text(text), value) if text.contains("{{") => print_all(value),
        (Value::Array(items), Json::Array(values)) => {
            Json::Array(items.iter().zip(values).map(|(item, value)| print(item, value)).collect())
        }
        (Value::Table(table), Json::Object(map)) => {
            let one = |(key, value): (String, Json)| match table.get(&key) {
                Some(entry) => (key, print(&entry.item, value)),
                None => (key, value),
            };
            Json::Object(map.into_iter().map(one).collect())
        }
        (_, value) => value,
    }
}

fn print_all(value: Json) -> Json {
    match value {
        Json::Number(_) | Json::Bool(_) => Json::String(value.to_string()),
        Json::Array(items) => Json::Array(items.into_iter().map(print_all).collect()),
        Json::Object(map) => {
            Json::Object(map.into_iter().map(|(key, item)| (key, print_all(item))).collect())
        }
        other => other,
    }
}
