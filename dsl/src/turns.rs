//! `for_each` and `when`: how often a resource exists.

use crate::context::Both;
use crate::document::{Item, Value};
use crate::expr;
use crate::findings::Findings;
use crate::source::Extent;
use crate::strings::Strings;
use model::Diagnostic;
use serde_json::Value as Json;

/// More resources than this from one table are a mistake.
const MOST_TURNS: usize = 100_000;

/// One element of a `for_each`.
#[derive(Debug)]
pub struct Turn {
    /// `each.key`.
    pub key: Json,
    /// `each.value`.
    pub value: Both,
}

/// The elements of a `for_each`; `None` and told where it cannot be evaluated.
pub fn turns(strings: Strings<'_>, item: &Item, findings: &mut Findings) -> Option<Vec<Turn>> {
    let both = match &item.value {
        Value::Text(text) => evaluate(strings, item.at, ("for_each", text), findings)?,
        _ => strings.value(item, findings)?,
    };
    let mut wrong = |code, message: &str, help: &str| {
        findings.push(Diagnostic::error(code, message, strings.source.span(item.at)).help(help));
        None
    };
    let (Some(real), Some(masked)) = (split(&both.real), split(both.masked())) else {
        return wrong(
            "bad-for-each",
            "this is neither an array nor a table",
            "for_each takes an array, a table, or an expression that comes to one",
        );
    };
    if real.len() > MOST_TURNS {
        return wrong(
            "bad-for-each",
            "this makes more than 100000 resources",
            "take a directory or an archive instead",
        );
    }
    let same_keys =
        real.len() == masked.len() && real.iter().zip(&masked).all(|(one, other)| one.0 == other.0);
    if same_keys {
        let both = real.into_iter().zip(masked);
        return Some(
            both.map(|((key, real), (_, masked))| Turn { key, value: Both::new(real, Some(masked)) })
                .collect(),
        );
    }
    // Strings of an array are keys; where they are secret the positions must do.
    if real.len() == masked.len() && both.real.is_array() {
        let both = real.into_iter().zip(masked).enumerate();
        return Some(
            both.map(|(at, ((_, real), (_, masked)))| Turn {
                key: at.into(),
                value: Both::new(real, Some(masked)),
            })
            .collect(),
        );
    }
    wrong(
        "secret-not-allowed",
        "how many resources there are depends on a secret",
        "keys and number of the elements are shown in plans",
    )
}

/// Keys and values of a table or an array.
fn split(value: &Json) -> Option<Vec<(Json, Json)>> {
    match value {
        Json::Array(items) => {
            Some(items.iter().enumerate().map(|(at, item)| (key_of(at, item), item.clone())).collect())
        }
        Json::Object(map) => {
            Some(map.iter().map(|(key, item)| (Json::from(key.as_str()), item.clone())).collect())
        }
        _ => None,
    }
}

fn key_of(at: usize, item: &Json) -> Json {
    if item.is_string() { item.clone() } else { Json::from(at) }
}

/// Whether a `when` holds; `None` and told where that cannot be said.
pub fn holds(strings: Strings<'_>, item: &Item, findings: &mut Findings) -> Option<bool> {
    let help = "`when` is true, false, or an expression that comes to one of them, such as \"facts.os.id == 'debian'\"";
    let found = match &item.value {
        Value::Bool(value) => return Some(*value),
        Value::Text(text) => evaluate(strings, item.at, ("when", text), findings)?.real,
        other => {
            let message = format!("expected an expression, found {}", other.type_name());
            findings.push(Diagnostic::error("wrong-type", message, strings.source.span(item.at)).help(help));
            return None;
        }
    };
    if let Json::Bool(value) = found {
        return Some(value);
    }
    findings.push(
        Diagnostic::error("bad-when", "this comes to neither true nor false", strings.source.span(item.at))
            .help(help),
    );
    None
}

fn evaluate(
    strings: Strings<'_>,
    at: Extent,
    (key, text): (&str, &str),
    findings: &mut Findings,
) -> Option<Both> {
    let code = if key == "when" { "bad-when" } else { "bad-for-each" };
    let mut tell = |error: expr::Error| {
        let literal = strings.source.text().get(at.range()).unwrap_or("");
        let (line, col) = line_col(text, error.offset);
        let start = at.start as usize + crate::strings::raw_offset(literal, line, col);
        let at = strings.source.word(start, at.end as usize);
        let message = format!("`{key}`: {}", error.message);
        let diagnostic = Diagnostic::error(code, message, strings.source.span(at));
        findings.push(Diagnostic { help: error.help, ..diagnostic });
    };
    let expression = strings.context.expression(text).map_err(&mut tell).ok()?;
    let real = strings.context.real().eval(&expression).map_err(&mut tell).ok()?;
    let masked = strings.context.masked().map(|masked| masked.eval(&expression).unwrap_or(Json::Null));
    Some(Both::new(real, masked))
}

/// Line and column, from 1, of a byte offset.
fn line_col(text: &str, offset: usize) -> (u32, u32) {
    let upto = text.get(..offset).unwrap_or(text);
    let line = upto.matches('\n').count() + 1;
    let col = upto.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
    (line as u32, col as u32)
}
