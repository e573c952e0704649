//! Kinds and their keys, and where a value comes from, for people and as JSON.

use super::out::{inert, line};
use crate::format::Format;
use dsl::{LayerValue, Manual};
use model::{Field, KindInfo, SubjectInfo};
use serde_json::{Value, json};

/// Widest line of text.
const WIDTH: usize = 100;

/// All kinds, a line each, and the names of modules and roles.
pub fn list(kinds: &[&dyn KindInfo], texts: &[&str], format: Format) {
    for kind in kinds {
        let doc = kind.doc();
        line(&match format {
            Format::Json => json!({ "kind": kind.name(), "doc": doc }).to_string(),
            Format::Human => format!("{:<14}  {}", kind.name(), first_sentence(&doc)),
        });
    }
    match format {
        Format::Json => texts.iter().for_each(|topic| line(&json!({ "topic": topic }).to_string())),
        Format::Human => {
            line("");
            wrapped(&texts.join(" "), 0);
            line("\n`keel explain NAME` tells all about one of these");
        }
    }
}

fn first_sentence(doc: &str) -> String {
    let doc = doc.replace('\n', " ");
    let sentence = doc.split_inclusive(". ").next().unwrap_or("").trim_end();
    let mut short = String::new();
    for word in sentence.split(' ') {
        if short.chars().count() + word.chars().count() > WIDTH - 20 {
            return format!("{short} …");
        }
        short.extend([if short.is_empty() { "" } else { " " }, word]);
    }
    short
}

/// What is explained with its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A kind of resource.
    Kind,
    /// A subject of checks.
    Subject,
    /// A fault of drills.
    Fault,
}

impl Topic {
    fn word(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Subject => "check",
            Self::Fault => "drill",
        }
    }
}

/// What checks can look at, or drills do, a line each, and the keys of every one.
pub fn subjects(subjects: &[&dyn SubjectInfo], (topic, common): (Topic, &[Field]), format: Format) {
    let word = topic.word();
    if format == Format::Json {
        let subjects: Vec<Value> =
            subjects.iter().map(|one| json!({ word: one.name(), "doc": one.doc() })).collect();
        let common: Vec<Value> = common.iter().map(field_json).collect();
        return line(&json!({ "subjects": subjects, "common": common }).to_string());
    }
    line(match topic {
        Topic::Fault => "a drill [drill.NAME] does one of these\n",
        Topic::Kind | Topic::Subject => "a check [check.NAME] looks at one of these\n",
    });
    for one in subjects {
        line(&format!("{:<14}  {}", one.name(), first_sentence(&one.doc())));
    }
    line(&format!("\n`keel explain {word}.NAME` tells all about one of these\n\nkeys of every {word}\n"));
    common.iter().for_each(field_text);
}

/// One kind or subject: what it is, its keys, those common to all, an example.
pub fn kind(kind: &dyn KindInfo, (topic, common): (Topic, &[Field]), format: Format) {
    let word = topic.word();
    // A kind may have something of its own to say of a common key.
    let own = kind.fields();
    let common: Vec<&Field> =
        common.iter().filter(|field| own.iter().all(|other| other.name != field.name)).collect();
    if format == Format::Json {
        let fields =
            |fields: &[&Field]| -> Vec<Value> { fields.iter().map(|field| field_json(field)).collect() };
        let own: Vec<&Field> = own.iter().collect();
        let value = json!({
            word: kind.name(), "doc": kind.doc(), "keys": fields(&own), "common": fields(&common),
            "example": kind.example(),
        });
        return line(&value.to_string());
    }
    line(&format!("{}\n", kind.name()));
    wrapped(&kind.doc(), 2);
    line("\nkeys\n");
    own.iter().for_each(field_text);
    line(&format!("keys of every {word}\n"));
    common.into_iter().for_each(field_text);
    line("example\n");
    kind.example().trim().lines().for_each(|text| line(format!("  {text}").trim_end()));
}

/// A module or a role: what it is for, and its inputs.
pub fn manual(topic: &str, manual: &Manual, format: Format) {
    if format == Format::Json {
        let inputs: Vec<Value> = manual.inputs.iter().map(field_json).collect();
        return line(&json!({ "topic": topic, "doc": manual.doc, "inputs": inputs }).to_string());
    }
    line(&inert(&format!("{topic}\n")));
    wrapped(&inert(&manual.doc), 2);
    line(if manual.inputs.is_empty() { "\nno inputs" } else { "\ninputs\n" });
    manual.inputs.iter().for_each(field_text);
}

fn field_json(field: &Field) -> Value {
    json!({
        "name": field.name, "doc": field.doc, "expects": field.expects, "required": field.required,
        "default": field.default,
    })
}

fn field_text(field: &Field) {
    let given = match (field.required, field.default.as_str()) {
        (true, _) => ", required".to_owned(),
        (false, "") => String::new(),
        (false, default) => format!(", {default} unless said"),
    };
    line(&inert(&format!("  {}  ({}{given})", field.name, field.expects)));
    wrapped(&inert(&field.doc), 6);
    line("");
}

/// Prints text in lines of at most `WIDTH` characters, set in by `indent`.
fn wrapped(text: &str, indent: usize) {
    let mut current = String::new();
    for word in text.split_whitespace() {
        if !current.is_empty() && indent + current.chars().count() + 1 + word.chars().count() > WIDTH {
            line(&format!("{:indent$}{current}", ""));
            current.clear();
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    if !current.is_empty() {
        line(&format!("{:indent$}{current}", ""));
    }
}

/// Every layer of a value, the weakest first; the one that holds is marked.
pub fn layers(key: &str, layers: &[LayerValue], format: Format) {
    if format == Format::Json {
        for layer in layers {
            let LayerValue { layer, origin, value, wins } = layer;
            line(
                &json!({ "key": key, "layer": layer, "origin": origin, "value": value, "wins": wins })
                    .to_string(),
            );
        }
        return;
    }
    if layers.is_empty() {
        return line(&inert(&format!("{key} has no value: no layer gives it one")));
    }
    line(&inert(key));
    let width = |of: &dyn Fn(&LayerValue) -> usize| layers.iter().map(of).max().unwrap_or(0);
    let name = width(&|layer| layer.layer.chars().count());
    let place = width(&|layer| layer.origin.to_string().chars().count());
    for layer in layers {
        let mark = if layer.wins { '*' } else { ' ' };
        let (origin, value) = (layer.origin.to_string(), layer.value.to_string());
        line(&inert(&format!("{mark} {:<name$}  {origin:<place$}  {value}", layer.layer)));
    }
}
