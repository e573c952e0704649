//! JSON Schema of the checks and drills in files of tests, for editors. It must not be stricter than the compiler: where a template may stand,
//! one is allowed. What else stands in those files is added by `trial`.

use super::keys::{Table, check_fields, drill_fields};
use crate::schema::{definitions_of, or_template, own};
use model::{Field, SubjectInfo};
use serde_json::{Map, Value, json};

/// The schema of a file of tests, in the dialect of 2020-12 (json-schema.org), with its tables `check` and `drill`.
pub fn tests_schema(subjects: &[&dyn SubjectInfo], faults: &[&dyn SubjectInfo]) -> Value {
    let (mut properties, mut definitions) = (Map::new(), Map::new());
    for (sort, infos, fields, what) in [
        (
            Table::Check,
            subjects,
            check_fields(),
            "What is to be so on a host: [check.NAME] with one subject.",
        ),
        (
            Table::Drill,
            faults,
            drill_fields(),
            "A fault that is put on a host for a while: [drill.NAME] with one fault.",
        ),
    ] {
        let (word, mut keys, mut needed) = (sort.word(), Map::new(), Vec::new());
        for info in infos {
            let name = format!("{word}.{}", info.name());
            let table = own(*info, &name);
            keys.insert(info.name().to_owned(), subject(*info, &table, &name));
            needed.push(json!({ "required": [info.name()] }));
            definitions.extend(definitions_of(*info, &name));
            definitions.insert(name, table);
        }
        keys.extend(fields.iter().map(|field| (field.name.clone(), common_key(field))));
        let one =
            json!({ "type": "object", "properties": keys, "additionalProperties": false, "oneOf": needed });
        definitions.insert(word.to_owned(), one);
        let reference = json!({ "$ref": format!("#/$defs/{word}") });
        let table = json!({ "type": "object", "description": what, "additionalProperties": reference });
        properties.insert(word.to_owned(), table);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Evenkeel tests",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": definitions,
    })
}

/// A subject or a fault: its table, or what stands for the one key that a lone value is of.
fn subject(info: &dyn SubjectInfo, table: &Value, name: &str) -> Value {
    let mut forms = vec![json!({ "$ref": format!("#/$defs/{name}") })];
    forms.extend(table.pointer(&format!("/properties/{}", info.short())).cloned());
    json!({ "description": info.doc(), "anyOf": forms })
}

/// A key that all checks or all drills have. Its documentation says what may stand there.
fn common_key(field: &Field) -> Value {
    let words: Vec<&str> = field.expects.split('"').skip(1).step_by(2).collect();
    let mut schema = match field.expects.as_str() {
        "string or list" => json!({ "type": ["string", "array"], "items": { "type": "string" } }),
        _ if words.is_empty() => json!({ "type": "string" }),
        _ => json!({ "enum": words }),
    };
    if let Some(map) = schema.as_object_mut() {
        map.insert("description".to_owned(), Value::String(field.doc.clone()));
    }
    or_template(schema)
}
