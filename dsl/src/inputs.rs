//! Declared inputs: `[inputs.NAME]` with a type, a default, a documentation; and whether a value is of that type.

use crate::context::Both;
use crate::document::{Entry, Item, Value};
use crate::findings::Findings;
use crate::nearest::did_you_mean;
use crate::parts::RESERVED;
use crate::source::{Extent, Source};
use crate::strings;
use model::{Diagnostic, HostPath};
use serde_json::Value as Json;
use std::fmt;
use std::sync::Arc;

/// The words for types.
const TYPES: [&str; 9] = ["string", "int", "float", "bool", "secret", "path", "any", "list(…)", "map(…)"];

/// What an input may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
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
            _ => match (inner("list"), inner("map")) {
                (Some(of), _) => Self::List(Box::new(Self::parse_within(of, depth.checked_sub(1)?)?)),
                (_, Some(of)) => Self::Map(Box::new(Self::parse_within(of, depth.checked_sub(1)?)?)),
                _ => return None,
            },
        })
    }

    /// Checks a value; the error has the path of what is wrong in it, and why. No value is shown: it may be secret.
    pub fn check(&self, value: &Json) -> Result<(), (Vec<String>, String)> {
        let nested = |key: String, inner: &Self, item: &Json| {
            inner.check(item).map_err(|(mut path, message)| {
                path.insert(0, key);
                (path, message)
            })
        };
        let good = match (self, value) {
            (Self::Path, Json::String(text)) => {
                return HostPath::new(text).map(|_| ()).map_err(|message| (Vec::new(), message));
            }
            (Self::List(of), Json::Array(items)) => {
                return items.iter().enumerate().try_for_each(|(at, item)| nested(at.to_string(), of, item));
            }
            (Self::Map(of), Json::Object(map)) => {
                return map.iter().try_for_each(|(key, item)| nested(key.clone(), of, item));
            }
            (Self::String | Self::Secret, Json::String(_)) | (Self::Bool, Json::Bool(_)) | (Self::Any, _) => {
                true
            }
            (Self::Int, Json::Number(number)) => !number.is_f64(),
            (Self::Float, Json::Number(_)) => true,
            _ => false,
        };
        if good { Ok(()) } else { Err((Vec::new(), format!("expected {self}, found {}", type_of(value)))) }
    }

    /// Makes secret what the type says is secret.
    pub fn taint(&self, value: Both) -> Both {
        match self {
            Self::Secret => value.hide(),
            Self::List(of) | Self::Map(of) if of.holds_secrets() => value.hide(),
            _ => value,
        }
    }

    /// True where a value of the type is secret, or holds what is.
    pub fn holds_secrets(&self) -> bool {
        match self {
            Self::Secret => true,
            Self::List(of) | Self::Map(of) => of.holds_secrets(),
            _ => false,
        }
    }
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

/// `[inputs.NAME]`.
#[derive(Clone, Debug)]
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
}

impl InputDecl {
    /// Checks a value that is given to it; `None` and told where it does not fit.
    pub fn accept(&self, declared: &Arc<Source>, given: Given<'_>, findings: &mut Findings) -> Option<Both> {
        let Given { source, item, value } = given;
        let wrong = match self.kind.check(&value.real) {
            Err((path, message)) => Some((inner_place(item, &path), message)),
            Ok(()) => self.outside_choices(&value.real).map(|message| (item.at, message)),
        };
        if self.kind.holds_secrets() {
            findings.hide(crate::source::Place { source: source.clone(), at: item.at });
        }
        let Some((at, message)) = wrong else { return Some(self.kind.taint(value)) };
        let text = format!("input `{}` {message}", self.name);
        let diagnostic = Diagnostic::error("wrong-type", text, source.span(at))
            .and(declared.span(self.at), format!("declared here as {}", self.kind));
        findings.push(diagnostic);
        None
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

/// The place of a part of a value; that of the whole where the part came out of a template.
fn inner_place(item: &Item, path: &[String]) -> Extent {
    let Some((first, rest)) = path.split_first() else { return item.at };
    let inner = match &item.value {
        Value::Table(table) => table.get(first).map(|entry| &entry.item),
        Value::Array(items) => first.parse::<usize>().ok().and_then(|at| items.get(at)),
        _ => None,
    };
    inner.map_or(item.at, |inner| inner_place(inner, rest))
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
    let Value::Table(table) = entry.item.value else {
        let message = format!("`inputs.{}` is {}, not a table", entry.key, entry.item.value.type_name());
        reader.error(
            "wrong-type",
            message,
            entry.item.at,
            "write [inputs.NAME] with `type`, `default` and `doc`",
        );
        return None;
    };
    let mut kind = None;
    let mut found = InputDecl {
        name: entry.key,
        at: entry.at,
        kind: InputType::Any,
        default: None,
        doc: None,
        choices: None,
    };
    for Entry { key, at, item } in table.entries {
        match (key.as_str(), item.value) {
            ("type", Value::Text(text)) => kind = Some(reader.type_named(&text, item.at)?),
            ("doc", Value::Text(text)) => found.doc = Some(text),
            ("default", value) => found.default = Some(Item { value, at: item.at }),
            ("choices", Value::Array(items)) => {
                found.choices = Some(items.iter().map(strings::plain).collect())
            }
            ("type" | "doc", other) => {
                let message = format!("`{key}` is {}, not a string", other.type_name());
                reader.error("wrong-type", message, item.at, "write it in quotes");
            }
            ("choices", _) => reader.error(
                "wrong-type",
                "`choices` is no array".to_owned(),
                item.at,
                "write choices = [\"a\", \"b\"]",
            ),
            (key, _) => {
                let help = did_you_mean(key, ["type", "doc", "default", "choices"]);
                let help =
                    help.unwrap_or_else(|| "an input has `type`, `default`, `doc` and `choices`".to_owned());
                reader.error("unknown-key", format!("unknown key `{key}` of an input"), at, &help);
            }
        }
    }
    let Some(kind) = kind else {
        reader.error(
            "missing-key",
            format!("input `{}` has no `type`", found.name),
            found.at,
            "write type = \"string\", or another type",
        );
        return None;
    };
    Some(InputDecl { kind, ..found })
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn error(&mut self, code: &'static str, message: String, at: Extent, help: &str) {
        self.findings.push(Diagnostic::error(code, message, self.source.span(at)).help(help));
    }

    fn type_named(&mut self, text: &str, at: Extent) -> Option<InputType> {
        let found = InputType::parse(text);
        if found.is_none() {
            let help = did_you_mean(text, TYPES).unwrap_or_else(|| format!("types are {}", TYPES.join(", ")));
            self.error("unknown-type", format!("there is no type `{text}`"), at, &help);
        }
        found
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
        assert_eq!(kind.check(&json!({ "a": [1, 2] })), Ok(()));
        let (path, message) = kind.check(&json!({ "a": [1, "x"] })).expect_err("a string is no int");
        assert_eq!((path.join("."), message.as_str()), ("a.1".into(), "expected int, found a string"));
    }
}
