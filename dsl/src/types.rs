//! The types of inputs: whether a value is of a type, what a table leaves out, and which parts of it are secret.
//! Evaluates nothing; `inputs` declares with them.

use crate::context::{self, Both};
use crate::document::{Item, Value};
use crate::inputs::InputDecl;
use crate::nearest::advice;
use crate::sealed;
use crate::source::Extent;
use crate::strings;
use model::HostPath;
use serde_json::{Map, Value as Json};
use std::fmt;

/// The words for types.
pub const TYPES: [&str; 10] =
    ["string", "int", "float", "bool", "secret", "path", "any", "table", "list(…)", "map(…)"];

/// What an input may hold.
#[derive(Clone, Debug, PartialEq)]
pub enum InputType {
    /// A string.
    String,
    /// An integer.
    Int,
    /// A number.
    Float,
    /// True or false.
    Bool,
    /// A string that must not be seen.
    Secret,
    /// An absolute path on the host.
    Path,
    /// Anything.
    Any,
    /// A table with these keys, and no other.
    Table(Vec<InputDecl>),
    /// An array of one type.
    List(Box<InputType>),
    /// A table of one type.
    Map(Box<InputType>),
}

impl InputType {
    /// Reads `string` or `list(map(int))`; `None` where there is no such type.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_within(text, 8)
    }

    fn parse_within(text: &str, depth: u32) -> Option<Self> {
        let inner = |word: &str| text.strip_prefix(word)?.strip_prefix('(')?.strip_suffix(')');
        Some(match text {
            "string" => Self::String,
            "int" => Self::Int,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "secret" => Self::Secret,
            "path" => Self::Path,
            "any" => Self::Any,
            "table" => Self::Table(Vec::new()),
            _ => match (inner("list"), inner("map")) {
                (Some(of), _) => Self::List(Box::new(Self::parse_within(of, depth.checked_sub(1)?)?)),
                (_, Some(of)) => Self::Map(Box::new(Self::parse_within(of, depth.checked_sub(1)?)?)),
                _ => return None,
            },
        })
    }

    /// The table that `fields` describe, where there is one in the type.
    pub fn table(&mut self) -> Option<&mut Vec<InputDecl>> {
        match self {
            Self::Table(fields) => Some(fields),
            Self::List(of) | Self::Map(of) => of.table(),
            _ => None,
        }
    }

    /// What is wrong with a value; nothing of the value is shown: it may be secret.
    pub fn check(&self, value: &Json) -> Vec<Mismatch> {
        let good = match (self, value) {
            (Self::Path, Json::String(text)) => {
                return HostPath::new(text).err().map(Mismatch::whole).into_iter().collect();
            }
            (Self::List(of), Json::Array(items)) => {
                let items = items.iter().enumerate();
                return items.flat_map(|(at, it)| Mismatch::within(&at.to_string(), of.check(it))).collect();
            }
            (Self::Map(of), Json::Object(map)) => {
                return map.iter().flat_map(|(key, item)| Mismatch::within(key, of.check(item))).collect();
            }
            (Self::Table(fields), Json::Object(map)) => return check_table(fields, map),
            (Self::String | Self::Secret, Json::String(_)) | (Self::Bool, Json::Bool(_)) | (Self::Any, _) => {
                true
            }
            (Self::Int, Json::Number(number)) => !number.is_f64(),
            (Self::Float, Json::Number(_)) => true,
            _ => false,
        };
        let message = || format!("expected {self}, found {}", type_of(value));
        if good { Vec::new() } else { vec![Mismatch::whole(message())] }
    }

    /// Gives keys that a table leaves out their defaults, `null` where they have none.
    pub fn complete(&self, value: Json) -> Json {
        match (self, value) {
            (Self::List(of), Json::Array(items)) => {
                Json::Array(items.into_iter().map(|item| of.complete(item)).collect())
            }
            (Self::Map(of), Json::Object(map)) => {
                Json::Object(map.into_iter().map(|(key, item)| (key, of.complete(item))).collect())
            }
            (Self::Table(fields), Json::Object(mut map)) => {
                let complete = |field: &InputDecl| {
                    let given = map.remove(&field.name).or(field.default.as_ref().map(strings::plain));
                    (field.name.clone(), given.map_or(Json::Null, |given| field.kind.complete(given)))
                };
                Json::Object(fields.iter().map(complete).collect())
            }
            (_, value) => value,
        }
    }

    /// Makes secret what the type says is secret.
    pub fn taint(&self, value: Both) -> Both {
        let masked = self.holds_secrets().then(|| self.masked(&value.real, value.masked()));
        Both::new(value.real, masked.or(value.masked))
    }

    /// What a value would be with other secrets. Where both differ in shape they are secret as they are.
    fn masked(&self, real: &Json, masked: &Json) -> Json {
        match (self, real, masked) {
            (Self::Secret, ..) => context::mask(real),
            (Self::List(of), Json::Array(real), Json::Array(masked)) if real.len() == masked.len() => {
                Json::Array(real.iter().zip(masked).map(|(real, masked)| of.masked(real, masked)).collect())
            }
            (Self::Map(_) | Self::Table(_), Json::Object(real), Json::Object(masked)) => {
                let item = |(key, item): (&String, &Json)| {
                    let of = match self {
                        Self::Map(of) => Some(&**of),
                        Self::Table(fields) => fields.iter().find(|it| it.name == *key).map(|it| &it.kind),
                        _ => None,
                    };
                    let other = masked.get(key).unwrap_or(&Json::Null);
                    (key.clone(), of.map_or_else(|| other.clone(), |of| of.masked(item, other)))
                };
                Json::Object(real.iter().map(item).collect())
            }
            _ => masked.clone(),
        }
    }

    /// True where a value of the type is secret, or holds what is.
    pub fn holds_secrets(&self) -> bool {
        match self {
            Self::Secret => true,
            Self::List(of) | Self::Map(of) => of.holds_secrets(),
            Self::Table(fields) => fields.iter().any(|field| field.kind.holds_secrets()),
            _ => false,
        }
    }

    /// The places of the secrets in a value.
    pub fn secrets(&self, item: &Item) -> Vec<Extent> {
        let of = |of: &Self, item: &Item| of.secrets(item);
        match (self, &item.value) {
            (kind, _) if !kind.holds_secrets() => Vec::new(),
            (Self::List(kind), Value::Array(items)) => items.iter().flat_map(|item| of(kind, item)).collect(),
            (Self::Map(kind), Value::Table(table)) => {
                table.entries.iter().flat_map(|entry| of(kind, &entry.item)).collect()
            }
            (Self::Table(fields), Value::Table(table)) => {
                let given = fields.iter().filter_map(|field| Some((field, table.get(&field.name)?)));
                given.flat_map(|(field, entry)| of(&field.kind, &entry.item)).collect()
            }
            (_, Value::Table(table)) => sealed::literals(table),
            _ => vec![item.at],
        }
    }
}

/// Where a value is not of its type.
#[derive(Debug, PartialEq)]
pub struct Mismatch {
    /// Keys and positions that lead there.
    pub path: Vec<String>,
    /// Why.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// What of it is wrong.
    pub mark: Mark,
}

/// Whether a value or the key before it is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The value.
    Value,
    /// The key: there is none of this name.
    Key,
}

impl Mismatch {
    /// A value that is wrong as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { path: Vec::new(), message: message.into(), help: None, mark: Mark::Value }
    }

    fn within(key: &str, found: Vec<Self>) -> Vec<Self> {
        let inner = |mut mismatch: Self| {
            mismatch.path.insert(0, key.to_owned());
            mismatch
        };
        found.into_iter().map(inner).collect()
    }
}

fn check_table(fields: &[InputDecl], map: &Map<String, Json>) -> Vec<Mismatch> {
    let names = || fields.iter().map(|field| field.name.as_str());
    let mut found = Vec::new();
    for (key, value) in map {
        let wrong = match fields.iter().find(|field| field.name == *key) {
            Some(field) => field.check(value),
            None => {
                let help = advice(key, names());
                vec![Mismatch { help, mark: Mark::Key, ..Mismatch::whole("is no key here") }]
            }
        };
        found.extend(Mismatch::within(key, wrong));
    }
    let missing = fields.iter().filter(|field| field.is_required() && !map.contains_key(&field.name));
    found.extend(missing.map(|field| {
        let help = Some(format!("add {} = …: {}", field.name, field.kind));
        Mismatch { help, ..Mismatch::whole(format!("lacks the key `{}`", field.name)) }
    }));
    found
}

impl fmt::Display for InputType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => f.write_str("string"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Bool => f.write_str("bool"),
            Self::Secret => f.write_str("secret"),
            Self::Path => f.write_str("path"),
            Self::Any => f.write_str("any"),
            Self::Table(_) => f.write_str("table"),
            Self::List(of) => write!(f, "list({of})"),
            Self::Map(of) => write!(f, "map({of})"),
        }
    }
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "nothing",
        Json::Bool(_) => "a boolean",
        Json::Number(number) if number.is_f64() => "a float",
        Json::Number(_) => "an integer",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::InputType;
    use serde_json::json;

    #[test]
    fn types_nest_and_print_as_they_are_written() {
        for text in ["string", "list(string)", "map(list(secret))"] {
            assert_eq!(InputType::parse(text).map(|kind| kind.to_string()).as_deref(), Some(text));
        }
        for text in ["", "list", "list()", "list(string", "strin", &"list(".repeat(5000)] {
            assert_eq!(InputType::parse(text), None);
        }
    }

    #[test]
    fn a_wrong_element_is_found_by_its_path() {
        let kind = InputType::parse("map(list(int))").expect("a type");
        assert_eq!(kind.check(&json!({ "a": [1, 2] })), []);
        let wrong = kind.check(&json!({ "a": [1, "x"], "b": [true] }));
        let wrong: Vec<_> = wrong.iter().map(|one| (one.path.join("."), &*one.message)).collect();
        let expected = ["expected int, found a string", "expected int, found a boolean"];
        assert_eq!(wrong, [("a.1".into(), expected[0]), ("b.0".into(), expected[1])]);
    }
}
