//! From the JSON Schema of a kind to the documented keys that the compiler and `keel explain` use.

use model::{Field, Merge, Runtime, Taint};
use serde_json::Value;

/// The fields of a root schema, sorted by name.
pub(crate) fn fields(root: &Value) -> Vec<Field> {
    let required = |name: &str| {
        let list = root.get("required").and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|item| item == name))
    };
    let Some(properties) = root.get("properties").and_then(Value::as_object) else { return Vec::new() };
    properties
        .iter()
        .map(|(name, schema)| {
            let target = resolve(root, schema);
            Field {
                name: name.clone(),
                doc: text(schema, "description").or_else(|| text(target, "description")).unwrap_or_default(),
                expects: expects(root, schema),
                required: required(name),
                default: schema
                    .get("default")
                    .filter(|value| !value.is_null())
                    .map(toml_of)
                    .unwrap_or_default(),
                merge: if flag(target, "uniqueItems") { Merge::Union } else { Merge::Equal },
                taint: taint(target),
                runtime: runtime(schema),
            }
        })
        .collect()
}

fn text(schema: &Value, key: &str) -> Option<String> {
    schema.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn flag(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool) == Some(true)
}

/// Follows `$ref`, and the one branch of `anyOf` that is not null, as schemars writes `Option<T>`.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let found = name.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return found.map_or(schema, |target| resolve(root, target));
    }
    let branches = schema.get("anyOf").and_then(Value::as_array);
    let solid =
        branches.and_then(|list| list.iter().find(|item| text(item, "type").as_deref() != Some("null")));
    solid.map_or(schema, |target| resolve(root, target))
}

fn taint(target: &Value) -> Taint {
    let inner = target.get("items").or_else(|| target.get("additionalProperties")).unwrap_or(target);
    if flag(target, "writeOnly") {
        Taint::Always
    } else if flag(target, "x-keel-text") || flag(inner, "x-keel-text") {
        Taint::Sensitive
    } else {
        Taint::Never
    }
}

/// `#[schemars(extend("x-keel" = "source"))]` on a field.
fn runtime(schema: &Value) -> Runtime {
    match schema.get("x-keel").and_then(Value::as_str) {
        Some("source") => Runtime::Source,
        Some("template") => Runtime::Template,
        Some("tree") => Runtime::Tree,
        Some("path") => Runtime::Path,
        Some("claims") => Runtime::Claims,
        _ => Runtime::Plain,
    }
}

fn expects(root: &Value, schema: &Value) -> String {
    let target = resolve(root, schema);
    if let Some(words) = choices(target) {
        return words;
    }
    let types: Vec<&str> = match target.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => {
            many.iter().filter_map(Value::as_str).filter(|word| *word != "null").collect()
        }
        _ => return "any value".to_owned(),
    };
    let named = |word: &&str| match *word {
        "array" => match target.get("items") {
            Some(items) => format!("array of {}s", expects(root, items)),
            None => "array".to_owned(),
        },
        "object" => "table".to_owned(),
        other => other.to_owned(),
    };
    types.iter().map(named).collect::<Vec<_>>().join(" or ")
}

/// The words of an enum: `enum`, or `oneOf` of `const` where the variants are documented.
fn choices(target: &Value) -> Option<String> {
    let plain = target.get("enum").and_then(Value::as_array).cloned();
    let documented = target.get("oneOf").and_then(Value::as_array).map(|list| {
        let word = |item: &Value| item.get("const").cloned().or_else(|| item.pointer("/enum/0").cloned());
        list.iter().filter_map(word).collect::<Vec<_>>()
    });
    let words: Vec<String> = plain.or(documented)?.iter().map(toml_of).collect();
    Some(words.join(" or ")).filter(|text| !text.is_empty())
}

/// JSON and TOML agree on strings, numbers, booleans and arrays of those.
fn toml_of(value: &Value) -> String {
    value.to_string()
}
