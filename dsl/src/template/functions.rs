//! The helpers of templates: those of crate handlebars, made strict, and a few pure ones. None reads anything but its
//! arguments; each result is bounded. `HELPERS` is the list that documentation is generated from.

use super::MAX_OUTPUT;
use super::error::Fault;
use super::strict::Lookup;
use crate::nearest::advice;
use handlebars::{Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, ScopedJson};
use serde_json::Value;

/// The helper that resolves a path; no template can name it.
pub(super) const LOOKUP: &str = ".lookup";
/// The helper that prints a value; no template can name it.
pub(super) const TEXT: &str = ".text";

/// Where a helper stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `{{#name …}}…{{/name}}`.
    Block,
    /// `{{name …}}` or `(name …)`.
    Inline,
    /// Both.
    Either,
}

/// A helper that templates may call.
#[derive(Clone, Copy, Debug)]
pub struct HelperDoc {
    /// Its name.
    pub name: &'static str,
    /// How it is called.
    pub usage: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Where it may stand.
    pub place: Place,
    min: usize,
    max: usize,
    run: Option<Pure>,
}

type Pure = fn(&Helper<'_>) -> Result<Value, RenderError>;

const MANY: usize = usize::MAX;

macro_rules! helper {
    ($name:literal, $place:ident, $min:expr, $max:expr, $run:expr, $usage:literal, $about:literal) => {
        HelperDoc {
            name: $name,
            usage: $usage,
            about: $about,
            place: Place::$place,
            min: $min,
            max: $max,
            run: $run,
        }
    };
}

/// All helpers, by name.
#[rustfmt::skip]
pub const HELPERS: &[HelperDoc] = &[
    helper!("and", Either, 1, MANY, None, "{{#if (and a b)}}", "True where all arguments are; `false`, `0`, `\"\"`, `null` and what is empty are not."),
    helper!("default", Inline, 2, 2, Some(default), "{{default inputs.title \"none\"}}", "The first argument, or the second where the first is `null`; a name that is not defined stays an error."),
    helper!("each", Block, 1, 1, None, "{{#each inputs.ports}}{{this}}{{/each}}", "Once for each element of a list or table; `this`, `@index`, `@key`, `@first`, `@last`; `../` leads outside."),
    helper!("eq", Either, 2, 2, None, "{{#if (eq a b)}}", "True where both are equal, type included."),
    helper!("gt", Either, 2, 2, None, "{{#if (gt a b)}}", "True where a number is greater, or a text later."),
    helper!("gte", Either, 2, 2, None, "{{#if (gte a b)}}", "True where `gt` or equal."),
    helper!("has", Inline, 2, 2, Some(has), "{{#if (has inputs \"port\")}}", "True where a table has the key, or a list the element."),
    helper!("if", Block, 1, 1, None, "{{#if a}}…{{else if b}}…{{else}}…{{/if}}", "The first branch whose condition holds; `includeZero=true` lets 0 hold."),
    helper!("indent", Inline, 2, 2, Some(indent), "{{indent 4 inputs.text}}", "The text with that many blanks before each line that is not empty; at most 256."),
    helper!("join", Inline, 2, 2, Some(join), "{{join inputs.ports \", \"}}", "The elements of a list as one text."),
    helper!("json", Inline, 1, 1, Some(json), "{{json inputs.settings}}", "Any value as JSON in one line, keys sorted; a text with its quotes, which is TOML's and YAML's too."),
    helper!("len", Inline, 1, 1, Some(len), "{{len inputs.ports}}", "Number of elements, keys, or characters."),
    helper!("lookup", Inline, 2, 2, Some(lookup), "{{lookup inputs.ports name}}", "The element of a table or list under a computed key or index, which must be there."),
    helper!("lower", Inline, 1, 1, Some(lower), "{{lower inputs.name}}", "The text in lower case."),
    helper!("lt", Either, 2, 2, None, "{{#if (lt a b)}}", "True where a number is less, or a text earlier."),
    helper!("lte", Either, 2, 2, None, "{{#if (lte a b)}}", "True where `lt` or equal."),
    helper!("ne", Either, 2, 2, None, "{{#if (ne a b)}}", "True where they are not equal."),
    helper!("not", Either, 1, 1, None, "{{#if (not a)}}", "True where the argument is not."),
    helper!("or", Either, 1, MANY, None, "{{#if (or a b)}}", "True where one argument is."),
    helper!("raw", Block, 0, 0, None, "{{{{raw}}}}{{ as it is }}{{{{/raw}}}}", "The text as it stands, braces and all."),
    helper!("shell_quote", Inline, 1, 1, Some(shell_quote), "{{shell_quote inputs.path}}", "One word for a POSIX shell, in single quotes."),
    helper!("unless", Block, 1, 1, None, "{{#unless a}}…{{/unless}}", "The branch, where the condition does not hold."),
    helper!("upper", Inline, 1, 1, Some(upper), "{{upper inputs.name}}", "The text in upper case."),
    helper!("with", Block, 1, 1, None, "{{#with inputs.tls}}{{cert}}{{/with}}", "Paths in the block start at the argument, which must not be empty unless there is an `{{else}}`."),
];

/// Checks a call before anything is rendered.
pub(super) fn check(name: &str, arguments: usize, place: Place) -> Result<(), Fault> {
    let fault = |message: String, help: Option<String>| Err(Fault { offset: None, message, help });
    let Some(helper) = HELPERS.iter().find(|helper| helper.name == name) else {
        let known = HELPERS.iter().map(|helper| helper.name);
        let help = match crate::nearest::nearest(name, known.clone()) {
            None if place == Place::Block => {
                Some(format!("write `{{{{#if {name}}}}}` or `{{{{#each {name}}}}}`"))
            }
            _ => advice(name, known),
        };
        return fault(format!("there is no helper `{name}`"), help);
    };
    let usage = Some(format!("write it like {}", helper.usage));
    if helper.place != Place::Either && helper.place != place {
        let what = if place == Place::Block { "is no block" } else { "is a block" };
        return fault(format!("`{name}` {what}"), usage);
    }
    if arguments < helper.min || arguments > helper.max {
        let takes = match (helper.min, helper.max) {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "one argument".to_owned(),
            (min, MANY) => format!("at least {min}"),
            (min, _) => format!("{min} arguments"),
        };
        return fault(format!("`{name}` takes {takes}, not {arguments}"), usage);
    }
    Ok(())
}

/// A registry with these helpers and nothing else.
pub(super) fn registry() -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(handlebars::no_escape);
    registry.unregister_helper("log");
    for helper in HELPERS {
        if let Some(run) = helper.run {
            registry.register_helper(helper.name, Box::new(Function(run)));
        }
    }
    registry.register_helper(TEXT, Box::new(Function(text)));
    registry.register_helper(LOOKUP, Box::new(Lookup));
    registry
}

/// A pure function of its arguments.
struct Function(Pure);

impl HelperDef for Function {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let value = (self.0)(helper)?;
        match value.as_str() {
            Some(text) if text.len() > MAX_OUTPUT => Err(super::strict::too_much()),
            _ => Ok(ScopedJson::Derived(value)),
        }
    }
}

/// An argument; that it is there was checked before.
fn argument<'h>(helper: &'h Helper<'_>, at: usize) -> &'h Value {
    helper.param(at).map_or(&Value::Null, |param| param.value())
}

/// What a value is called in messages: never the value itself, which may be secret.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

fn wrong(helper: &Helper<'_>, wants: &str, value: &Value) -> RenderError {
    let usage = HELPERS.iter().find(|each| each.name == helper.name()).map(|each| each.usage);
    let message = format!("`{}` wants {wants}, not {}", helper.name(), type_name(value));
    Fault::raise(message, usage.map(|usage| format!("write it like {usage}")))
}

/// A scalar as it is printed; `None` for what is none.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn text(helper: &Helper<'_>) -> Result<Value, RenderError> {
    let value = argument(helper, 0);
    let printed = scalar(value).map(Value::String);
    printed.ok_or_else(|| {
        let each = value.get("key").is_some() && value.get("value").is_some();
        let help = "print it with `{{json …}}` or `{{join … \", \"}}`, or go over it with `{{#each …}}`";
        let help = if each { "an element is `{{ each.value }}`, its key `{{ each.key }}`" } else { help };
        Fault::raise(format!("{} cannot be printed", type_name(value)), Some(help.into()))
    })
}

/// The text of a helper that takes one; numbers and booleans as they are printed.
fn word(helper: &Helper<'_>, at: usize) -> Result<String, RenderError> {
    let value = argument(helper, at);
    match scalar(value) {
        Some(text) if !value.is_null() => Ok(text),
        _ => Err(wrong(helper, "a text", value)),
    }
}

fn lower(helper: &Helper<'_>) -> Result<Value, RenderError> {
    Ok(word(helper, 0)?.to_lowercase().into())
}

fn upper(helper: &Helper<'_>) -> Result<Value, RenderError> {
    Ok(word(helper, 0)?.to_uppercase().into())
}

fn json(helper: &Helper<'_>) -> Result<Value, RenderError> {
    Ok(argument(helper, 0).to_string().into())
}

/// POSIX.1-2017, Shell Command Language, 2.2.2: within single quotes every character but the quote is itself.
fn shell_quote(helper: &Helper<'_>) -> Result<Value, RenderError> {
    let word = word(helper, 0)?;
    if word.contains('\0') {
        return Err(Fault::raise("a word for a shell cannot hold a NUL", None));
    }
    Ok(format!("'{}'", word.replace('\'', r"'\''")).into())
}

fn default(helper: &Helper<'_>) -> Result<Value, RenderError> {
    let first = argument(helper, 0);
    Ok(if first.is_null() { argument(helper, 1) } else { first }.clone())
}

fn len(helper: &Helper<'_>) -> Result<Value, RenderError> {
    match argument(helper, 0) {
        Value::Array(list) => Ok(list.len().into()),
        Value::Object(table) => Ok(table.len().into()),
        Value::String(text) => Ok(text.chars().count().into()),
        other => Err(wrong(helper, "a list, a table or a text", other)),
    }
}

fn join(helper: &Helper<'_>) -> Result<Value, RenderError> {
    let separator = word(helper, 1)?;
    let Value::Array(list) = argument(helper, 0) else {
        return Err(wrong(helper, "a list", argument(helper, 0)));
    };
    let mut joined = String::new();
    for (at, each) in list.iter().enumerate() {
        let text = scalar(each).ok_or_else(|| wrong(helper, "a list of plain values", each))?;
        if joined.len() + separator.len() + text.len() > MAX_OUTPUT {
            return Err(super::strict::too_much());
        }
        joined.push_str(if at == 0 { "" } else { &separator });
        joined.push_str(&text);
    }
    Ok(joined.into())
}

fn indent(helper: &Helper<'_>) -> Result<Value, RenderError> {
    let columns = argument(helper, 0);
    let Some(columns) = columns.as_u64().filter(|columns| *columns <= 256) else {
        return Err(wrong(helper, "a number from 0 to 256 first", columns));
    };
    let (text, blanks) = (word(helper, 1)?, " ".repeat(columns as usize));
    if text.len() + text.lines().count() * blanks.len() > MAX_OUTPUT {
        return Err(super::strict::too_much());
    }
    let lines = text.split_inclusive('\n');
    let indented = lines.flat_map(|line| [if line.trim().is_empty() { "" } else { &blanks }, line]);
    Ok(Value::String(indented.collect()))
}

fn has(helper: &Helper<'_>) -> Result<Value, RenderError> {
    let wanted = argument(helper, 1);
    match argument(helper, 0) {
        Value::Object(table) => Ok(wanted.as_str().is_some_and(|key| table.contains_key(key)).into()),
        Value::Array(list) => Ok(list.contains(wanted).into()),
        other => Err(wrong(helper, "a table or a list", other)),
    }
}

fn lookup(helper: &Helper<'_>) -> Result<Value, RenderError> {
    let (from, key) = (argument(helper, 0), argument(helper, 1));
    match (from, key) {
        // The key is a value: it is not named, for it may be secret.
        (Value::Object(table), Value::String(key)) => table.get(key).cloned().ok_or_else(|| {
            Fault::raise("the table has no such key", advice("", table.keys().map(String::as_str)))
        }),
        (Value::Array(list), Value::Number(index)) => {
            let found = index.as_u64().and_then(|at| list.get(usize::try_from(at).ok()?));
            let short =
                || Fault::raise(format!("the index is beyond the list's {} elements", list.len()), None);
            found.cloned().ok_or_else(short)
        }
        (Value::Object(_), other) => Err(wrong(helper, "a text as the key of a table", other)),
        (Value::Array(_), other) => Err(wrong(helper, "a number as the index of a list", other)),
        (other, _) => Err(wrong(helper, "a table or a list", other)),
    }
}
