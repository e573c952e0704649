//! Values with `{{ … }}` in them to plain ones, with the knowledge of which are secret. The rest of a value passes
//! through untouched: a string without braces is copied, not parsed.

use crate::context::{Both, Context, Side};
use crate::document::{Entry, Item, Table, Value};
use crate::findings::Findings;
use crate::source::{Extent, Source};
use crate::template;
use model::Diagnostic;
use serde_json::Value as Json;
use std::sync::Arc;

/// Evaluates values of one source in one context.
#[derive(Clone, Copy)]
pub struct Strings<'a> {
    /// The source of the values.
    pub source: &'a Arc<Source>,
    /// The names they may use.
    pub context: &'a Context,
}

impl Strings<'_> {
    /// Evaluates a value; `None` where that failed, which has then been told.
    pub fn value(&self, item: &Item, findings: &mut Findings) -> Option<Both> {
        let real = match self.eval(item, self.context.real()) {
            Ok(real) => real,
            Err((at, error)) => {
                findings.push(self.wrong(at, error));
                return None;
            }
        };
        let masked = self.context.masked().filter(|_| holds_braces(item));
        // A rendering that fails only without the real secret depends on the secret.
        let masked = masked.map(|masked| self.eval(item, masked).unwrap_or(Json::Null));
        Some(Both::new(real, masked))
    }

    /// Evaluates a text that is no value, such as a name or a reference.
    pub fn text(&self, text: &str, at: Extent, findings: &mut Findings) -> Option<Both> {
        if !text.contains("{{") {
            return Some(Both::plain(Json::String(text.to_owned())));
        }
        self.value(&Item { value: Value::Text(text.to_owned()), at }, findings)
    }

    /// Evaluates a value without telling; the error has the place of the string.
    fn eval(&self, item: &Item, side: &Side) -> Result<Json, (Extent, template::Error)> {
        Ok(match &item.value {
            Value::Text(text) if text.contains("{{") => {
                let whole = template::whole_path(text).and_then(|path| template::lookup(side.data(), path));
                match whole {
                    Some(value) => value.clone(),
                    None => Json::String(self.context.render(text, side).map_err(|error| (item.at, error))?),
                }
            }
            Value::Array(items) => {
                Json::Array(items.iter().map(|item| self.eval(item, side)).collect::<Result<_, _>>()?)
            }
            Value::Table(table) => {
                let entry = |entry: &Entry| Ok((entry.key.clone(), self.eval(&entry.item, side)?));
                Json::Object(table.entries.iter().map(entry).collect::<Result<_, _>>()?)
            }
            _ => plain(item),
        })
    }

    fn wrong(&self, at: Extent, error: template::Error) -> Diagnostic {
        let literal = self.source.text().get(at.range()).unwrap_or("");
        let start = at.start as usize + raw_offset(literal, error.line, error.col);
        let at = self.source.word(start, at.end as usize);
        let diagnostic = Diagnostic::error("bad-template", error.message, self.source.span(at));
        Diagnostic { help: error.help, ..diagnostic }
    }
}

/// The value as it stands, braces and all.
pub fn plain(item: &Item) -> Json {
    match &item.value {
        Value::Text(text) => Json::String(text.clone()),
        Value::Integer(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::Bool(value) => Json::Bool(*value),
        Value::Array(items) => Json::Array(items.iter().map(plain).collect()),
        Value::Table(Table { entries }) => {
            Json::Object(entries.iter().map(|entry| (entry.key.clone(), plain(&entry.item))).collect())
        }
    }
}

/// True where some string of the value is a template.
pub fn holds_braces(item: &Item) -> bool {
    match &item.value {
        Value::Text(text) => text.contains("{{"),
        Value::Array(items) => items.iter().any(holds_braces),
        Value::Table(table) => table.entries.iter().any(|entry| holds_braces(&entry.item)),
        _ => false,
    }
}

/// Byte offset in a literal of TOML of what stands at a line and column (from 1, in characters) of its decoded text.
/// Escapes of basic strings: <https://toml.io/en/v1.1.0#string>.
pub fn raw_offset(literal: &str, line: u32, col: u32) -> usize {
    let quotes = match literal {
        text if text.starts_with("\"\"\"") || text.starts_with("'''") => 3,
        text if text.starts_with(['"', '\'']) => 1,
        _ => 0,
    };
    let escapes = literal.starts_with('"');
    let mut at = quotes;
    if quotes == 3 {
        let rest = literal.get(at..).unwrap_or("");
        at += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    }
    let (mut now_line, mut now_col) = (1, 1);
    while (now_line, now_col) < (line, col) {
        let Some((length, decoded)) = next_char(literal.get(at..).unwrap_or(""), escapes) else { break };
        at += length;
        match decoded {
            Some('\n') => (now_line, now_col) = (now_line + 1, 1),
            Some(_) => now_col += 1,
            None => {}
        }
    }
    at.min(literal.len())
}

/// The length of the next character as written, and what it decodes to; nothing for a line that is continued.
fn next_char(rest: &str, escapes: bool) -> Option<(usize, Option<char>)> {
    let first = rest.chars().next()?;
    if !escapes || first != '\\' {
        return Some((first.len_utf8(), Some(first)));
    }
    let code = rest.chars().nth(1)?;
    Some(match code {
        'u' => (6, Some('u')),
        'U' => (10, Some('U')),
        'x' => (4, Some('x')),
        'n' => (2, Some('\n')),
        '\n' | '\r' | ' ' | '\t' => {
            let blank = rest.get(1..).unwrap_or("");
            (1 + blank.len() - blank.trim_start().len(), None)
        }
        other => (1 + other.len_utf8(), Some(other)),
    })
}

#[cfg(test)]
mod tests {
    use super::raw_offset;

    #[test]
    fn a_place_in_a_string_is_a_place_in_its_literal() {
        assert_eq!(raw_offset(r#""ab{{ x }}""#, 1, 3), 3);
        assert_eq!(raw_offset(r#""\u00e9\n\t{{ x }}""#, 2, 2), 11);
        assert_eq!(raw_offset("'''\né\n{{ x }}'''", 2, 1), 7);
        assert_eq!(raw_offset("\"\"\"a\\\n   b{{\"\"\"", 1, 3), 10);
        assert_eq!(raw_offset("'x'", 9, 9), 3);
    }
}
