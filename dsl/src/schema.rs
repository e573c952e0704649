//! JSON Schema of a resources file, for editors: all kinds with the common keys, and the tables that hold no resources.
//! It must not be stricter than the compiler: where a template may stand, one is allowed.

use crate::common;
use model::{Field, KindInfo};
use serde_json::{Map, Value, json};

/// The schema, in the dialect of 2020-12 (json-schema.org).
pub fn schema(kinds: &[&dyn KindInfo]) -> Value {
    let mut definitions = Map::new();
    let mut properties = special();
    for kind in kinds {
        let reference = json!({ "$ref": format!("#/$defs/{}", kind.name()) });
        definitions.insert(kind.name().to_owned(), resource(*kind));
        let shared = definitions_of(*kind, kind.name());
        definitions.extend(shared);
        let table = json!({
            "type": "object", "description": kind.doc(), "additionalProperties": reference,
        });
        properties.insert(kind.name().to_owned(), table);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Evenkeel resources",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": definitions,
    })
}

/// One resource: the kind's own keys and the common ones.
fn resource(kind: &dyn KindInfo) -> Value {
    let mut schema = own(kind, kind.name());
    if let Some(own) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for field in common::common_fields() {
            own.entry(field.name.clone()).or_insert_with(|| common_key(&field));
        }
    }
    schema
}

/// The table of its own keys alone; `name` is that of its definition.
pub fn own(kind: &dyn KindInfo, name: &str) -> Value {
    let mut schema = kind.schema();
    let Some(root) = schema.as_object_mut() else { return schema };
    root.remove("$schema");
    root.remove("$defs");
    let own = root.entry("properties").or_insert_with(|| json!({}));
    if let Some(own) = own.as_object_mut() {
        own.values_mut().for_each(|value| *value = or_template(value.take()));
    }
    root.remove("title");
    rename(&mut schema, name);
    schema
}

/// The definitions that its schema refers to, under names of their own, which begin with `name`.
pub fn definitions_of(kind: &dyn KindInfo, name: &str) -> Map<String, Value> {
    let mut schema = kind.schema();
    rename(&mut schema, name);
    let found =
        schema.get_mut("$defs").and_then(Value::as_object_mut).map(std::mem::take).unwrap_or_default();
    found.into_iter().map(|(inner, value)| (format!("{name}.{inner}"), value)).collect()
}

/// Turns `#/$defs/X` to `#/$defs/KIND.X`: two kinds may call different things by one name.
fn rename(value: &mut Value, kind: &str) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get_mut("$ref")
                && let Some(name) = target.strip_prefix("#/$defs/")
            {
                *target = format!("#/$defs/{kind}.{name}");
            }
            map.values_mut().for_each(|inner| rename(inner, kind));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| rename(inner, kind)),
        _ => {}
    }
}

/// A template that is the whole string keeps its value's type, so it may stand for anything.
pub fn or_template(mut schema: Value) -> Value {
    let description = schema.as_object_mut().and_then(|map| map.remove("description"));
    json!({
        "description": description.unwrap_or_default(),
        "anyOf": [schema, { "type": "string", "pattern": "\\{\\{" }],
    })
}

fn common_key(field: &Field) -> Value {
    let strings = json!({ "type": ["string", "array"], "items": { "type": "string" } });
    let mut schema = match field.expects.as_str() {
        "boolean" => json!({ "type": "boolean" }),
        "array of references" | "array of strings" => strings,
        "\"keep\" or \"remove\"" => json!({ "enum": ["keep", "remove"] }),
        "expression, array or table" => json!({ "type": ["string", "array", "object"] }),
        _ => json!({ "type": "string" }),
    };
    if let Some(map) = schema.as_object_mut() {
        map.insert("description".to_owned(), Value::String(field.doc.clone()));
    }
    schema
}

/// The tables that hold no resources.
fn special() -> Map<String, Value> {
    let input = json!({
        "type": "object",
        "properties": {
            "type": {
                "type": "string",
                "description": "string, int, float, bool, secret, path, any, list(…) or map(…).",
            },
            "default": { "description": "Its value where nobody gives one; without it somebody must." },
            "doc": { "type": "string", "description": "What it is for." },
            "choices": { "type": "array", "description": "The only values it may have." },
        },
    });
    let tables = json!({
        "about": {
            "type": "object",
            "properties": {
                "doc": { "type": "string", "description": "What the file is for." },
                "include": { "type": "array", "items": { "type": "string" }, "description": "Roles that belong to it." },
            },
            "additionalProperties": false,
        },
        "inputs": { "type": "object", "description": "Values that are given from outside.", "additionalProperties": input },
        "outputs": { "type": "object", "description": "Values for those who use the module." },
        "module": {
            "type": "object",
            "description": "Modules that are used: [module.NAME] with values for their inputs.",
            "additionalProperties": { "type": "object" },
        },
    });
    match tables {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
