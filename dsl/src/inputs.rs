//! Declared inputs: `[inputs.NAME]` with a type, a default, a documentation; and the check of what is given to them.
//! What the types mean stands in `types`; `layers` comes next.

use crate::context::Both;
use crate::document::{Entry, Item, Table, Value};
use crate::findings::Findings;
use crate::nearest::did_you_mean;
use crate::parts::RESERVED;
use crate::sealed;
use crate::source::{Extent, Place, Source};
use crate::strings;
use crate::types::{InputType, Mark, Mismatch, TYPES};
use model::Diagnostic;
use serde_json::Value as Json;
use std::sync::Arc;

/// `[inputs.NAME]`, or a key of its tables.
#[derive(Clone, Debug, PartialEq)]
pub struct InputDecl {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub at: Extent,
    /// What it may hold.
    pub kind: InputType,
    /// Its value where nobody gives one.
    pub default: Option<Item>,
    /// What it is for.
    pub doc: Option<String>,
    /// The only values it may have, where that is said.
    pub choices: Option<Vec<Json>>,
    /// Whether it may be left out without a default: it is `null` then.
    pub optional: bool,
}

impl InputDecl {
    /// Checks a value that is given to it; `None` and told where it does not fit.
    pub fn accept(&self, declared: &Arc<Source>, given: Given<'_>, findings: &mut Findings) -> Option<Both> {
        let Given { source, item, value } = given;
        for at in self.kind.secrets(item) {
            findings.hide(Place { source: source.clone(), at });
        }
        let wrong = self.check(&value.real);
        if wrong.is_empty() {
            let complete = |value| self.kind.complete(value);
            return Some(self.kind.taint(Both::new(complete(value.real), value.masked.map(complete))));
        }
        for mut wrong in wrong {
            if value.is_secret() && shows(&wrong, &value.real) {
                wrong.message = format!("is not of the type {}", self.kind);
            }
            let at = inner_place(item, &wrong.path, wrong.mark);
            let name = [std::slice::from_ref(&self.name), wrong.path.as_slice()].concat().join(".");
            let text = format!("input `{name}` {}", wrong.message);
            let diagnostic = Diagnostic::error("wrong-type", text, source.span(at))
                .and(declared.span(self.at), format!("declared here as {}", self.kind));
            let help = wrong.help.or_else(|| sealed::misplaced(item));
            findings.push(Diagnostic { help, ..diagnostic });
        }
        None
    }

    /// What is wrong with a value, by type and choices.
    pub fn check(&self, value: &Json) -> Vec<Mismatch> {
        let wrong = self.kind.check(value);
        let outside = wrong.is_empty().then(|| self.outside_choices(value)).flatten();
        wrong.into_iter().chain(outside.map(Mismatch::whole)).collect()
    }

    /// True where there must be a value.
    pub fn is_required(&self) -> bool {
        self.default.is_none() && !self.optional
    }

    fn outside_choices(&self, value: &Json) -> Option<String> {
        let choices = self.choices.as_ref().filter(|choices| !choices.contains(value))?;
        let words: Vec<String> = choices.iter().map(Json::to_string).collect();
        Some(format!("must be one of {}", words.join(", ")))
    }
}

/// A value that is given to an input, with its place.
pub struct Given<'a> {
    /// The text in which it is given.
    pub source: &'a Arc<Source>,
    /// What stands there.
    pub item: &'a Item,
    /// What it evaluates to.
    pub value: Both,
}

/// Whether a message quotes the value it is about.
fn shows(wrong: &Mismatch, value: &Json) -> bool {
    let inner = |value: &'_ Json, key: &String| match value {
        Json::Array(items) => key.parse::<usize>().ok().and_then(|at| items.get(at)).cloned(),
        other => other.get(key).cloned(),
    };
    let part = wrong.path.iter().try_fold(value.clone(), |value, key| inner(&value, key));
    part.as_ref().and_then(Json::as_str).is_some_and(|text| !text.is_empty() && wrong.message.contains(text))
}

/// The place of a part of a value; that of the whole where the part came out of a template.
fn inner_place(item: &Item, path: &[String], mark: Mark) -> Extent {
    let Some((first, rest)) = path.split_first() else { return item.at };
    let inner = match &item.value {
        Value::Table(table) => match table.get(first) {
            Some(entry) if mark == Mark::Key && rest.is_empty() => return entry.at,
            entry => entry.map(|entry| &entry.item),
        },
        Value::Array(items) => first.parse::<usize>().ok().and_then(|at| items.get(at)),
        _ => None,
    };
    inner.map_or(item.at, |inner| inner_place(inner, rest, mark))
}

/// Reads `[inputs.NAME]`; `None` and told where it is wrong.
pub fn declare(source: &Arc<Source>, entry: Entry, findings: &mut Findings) -> Option<InputDecl> {
    let mut reader = Reader { source, findings };
    if RESERVED.contains(&entry.key.as_str()) || !crate::parts::is_plain_name(&entry.key) {
        reader.error(
            "bad-name",
            format!("`{}` cannot be the name of an input", entry.key),
            entry.at,
            "use letters, digits, `-` and `_`, and none of the keys that [module.NAME] has of its own",
        );
        return None;
    }
    let what = format!("inputs.{}", entry.key);
    reader.declaration(&what, entry)
}

/// What other languages call a type.
fn elsewhere(word: &str) -> Option<String> {
    let meant = match word {
        "integer" | "number" => "int",
        "boolean" => "bool",
        "str" | "text" => "string",
        "array" | "list" => "list(string)",
        "object" | "dict" | "hash" | "map" => "map(string)",
        "password" => "secret",
        _ => return None,
    };
    Some(format!("did you mean `{meant}`?"))
}

const KEYS: [&str; 6] = ["type", "doc", "default", "choices", "optional", "fields"];

struct Reader<'a> {
    source: &'a Arc<Source>,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn error(&mut self, code: &'static str, message: String, at: Extent, help: &str) {
        self.findings.push(Diagnostic::error(code, message, self.source.span(at)).help(help));
    }

    fn wrong_type(&mut self, message: String, at: Extent, help: &str) {
        self.error("wrong-type", message, at, help);
    }

    fn type_named(&mut self, text: &str, at: Extent) -> Option<InputType> {
        let found = InputType::parse(text);
        if found.is_none() {
            let all = || format!("types are {}", TYPES.join(", "));
            let help = elsewhere(text).or_else(|| did_you_mean(text, TYPES)).unwrap_or_else(all);
            self.error("unknown-type", format!("there is no type `{text}`"), at, &help);
        }
        found
    }

    /// An input, or a key of a table: `what` names it in messages.
    fn declaration(&mut self, what: &str, entry: Entry) -> Option<InputDecl> {
        let Value::Table(table) = entry.item.value else {
            let message = format!("`{what}` is {}, not a table", entry.item.value.type_name());
            self.wrong_type(
                message,
                entry.item.at,
                &format!("write [{what}] with `type`, `default` and `doc`"),
            );
            return None;
        };
        let (name, at) = (entry.key, entry.at);
        let (default, doc, choices) = (None, None, None);
        let mut found = InputDecl { name, at, kind: InputType::Any, default, doc, choices, optional: false };
        let (mut kind, mut fields) = (None, None);
        for entry in table.entries {
            match (entry.key.as_str(), entry.item.value) {
                ("type", Value::Text(text)) => kind = Some(self.type_named(&text, entry.item.at)?),
                ("doc", Value::Text(text)) => found.doc = Some(text),
                ("default", value) => found.default = Some(Item { value, at: entry.item.at }),
                ("optional", Value::Bool(optional)) => found.optional = optional,
                ("fields", Value::Table(table)) => fields = Some((entry.at, table)),
                ("choices", Value::Array(items)) => {
                    found.choices = Some(items.iter().map(strings::plain).collect())
                }
                (key, value) => self.refused(key, (entry.at, entry.item.at), &value),
            }
        }
        let Some(mut kind) = kind else {
            let help = "write type = \"string\", or another type";
            self.error("missing-key", format!("`{what}` has no `type`"), found.at, help);
            return None;
        };
        self.fields(what, &mut kind, (found.at, fields));
        Some(InputDecl { kind, ..found })
    }

    fn refused(&mut self, key: &str, (at, value_at): (Extent, Extent), value: &Value) {
        let (wanted, help) = match key {
            "type" | "doc" => ("a string", "write it in quotes"),
            "choices" => ("an array", "write choices = [\"a\", \"b\"]"),
            "optional" => ("a boolean", "write true or false, without quotes"),
            "fields" => ("a table", "write a table for each key, with `type` and `doc`"),
            key => {
                let help = did_you_mean(key, KEYS);
                let help = help.unwrap_or_else(|| format!("an input has `{}`", KEYS.join("`, `")));
                return self.error("unknown-key", format!("unknown key `{key}` of an input"), at, &help);
            }
        };
        self.wrong_type(format!("`{key}` is {}, not {wanted}", value.type_name()), value_at, help);
    }

    /// The keys of the tables in a type.
    fn fields(&mut self, what: &str, kind: &mut InputType, (at, fields): (Extent, Option<(Extent, Table)>)) {
        match (kind.table(), fields) {
            (Some(keys), Some((_, table))) => {
                for entry in table.entries {
                    let what = format!("{what}.fields.{}", entry.key);
                    let field = self.declaration(&what, entry);
                    keys.extend(field.inspect(|field| self.field_default(field)));
                }
            }
            (Some(_), None) => {
                let help = format!("describe each key: [{what}.fields.NAME] with `type` and `doc`");
                self.error("missing-key", format!("`{what}` has no `fields`"), at, &help);
            }
            (None, Some((at, _))) => {
                let message = format!("`{what}` has `fields`, and there is no table in its type");
                self.wrong_type(message, at, "write type = \"table\", \"map(table)\" or \"list(table)\"");
            }
            (None, None) => {}
        }
    }

    /// The default of a key is taken as it stands; that of an input is evaluated and checked where it is used.
    fn field_default(&mut self, field: &InputDecl) {
        let Some(item) = &field.default else { return };
        for at in field.kind.secrets(item) {
            self.findings.hide(Place { source: self.source.clone(), at });
        }
        if strings::holds_braces(item) {
            let message = format!("the default of `{}` cannot be a template", field.name);
            self.wrong_type(message, item.at, "write `optional = true`, and decide where it is used");
        }
        for wrong in field.check(&strings::plain(item)) {
            let message = format!("the default of `{}` {}", field.name, wrong.message);
            self.wrong_type(message, item.at, &format!("it is declared as {}", field.kind));
        }
    }
}
