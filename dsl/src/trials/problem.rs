//! What is wrong with a table that a struct is decoded from, at its place.

use crate::document::{Item, Value};
use crate::draft::descend;
use crate::findings::Findings;
use crate::nearest::{advice, did_you_mean};
use crate::source::Source;
use crate::wording;
use model::{Diagnostic, KindInfo, Problem};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// A value and its text.
pub type Stands<'a> = (&'a Arc<Source>, &'a Item);

/// Tells keys that are not known, and those that are missing; true where there are none.
pub fn keys(
    info: &dyn KindInfo,
    what: &str,
    (map, (source, item)): (&Map<String, Json>, Stands<'_>),
    findings: &mut Findings,
) -> bool {
    let before = findings.errors();
    let known = || info.fields().iter().map(|field| field.name.as_str());
    for key in map.keys().filter(|key| known().all(|name| name != *key)) {
        let at = match &item.value {
            Value::Table(table) => table.get(key).map_or(item.at, |entry| entry.at),
            _ => item.at,
        };
        let message = format!("unknown key `{key}` of {what}");
        let help = did_you_mean(key, known()).or_else(|| advice(key, known())).unwrap_or_default();
        findings.push(Diagnostic::error("unknown-key", message, source.span(at)).help(help));
    }
    // A key that is misspelled is missing, and has been told.
    let is_spelled = findings.errors() == before;
    for field in
        info.fields().iter().filter(|field| is_spelled && field.required && !map.contains_key(&field.name))
    {
        let message = format!("{what} lacks the key `{}`", field.name);
        let help = format!("add `{} = …` ({})", field.name, field.expects);
        findings.push(Diagnostic::error("missing-key", message, source.span(item.at)).help(help));
    }
    findings.errors() == before
}

/// Tells problems at their fields.
pub fn tell(problems: Vec<Problem>, (source, item): Stands<'_>, findings: &mut Findings) {
    for Problem { message, help, path } in problems {
        let at = descend(item, &path).unwrap_or(item.at);
        let mut code = if message.starts_with("invalid type: ") { "wrong-type" } else { "bad-value" };
        let mut text = wording::reword(&message);
        let literal = source.text().get(at.range()).unwrap_or("");
        let is_templated = literal.starts_with(['"', '\'']) && literal.contains("{{");
        let way_out = if is_templated { wording::keeps_type } else { wording::way_out };
        let mut help = help.or_else(|| way_out(&text).map(str::to_owned));
        if let Some((word, known)) = wording::unknown_word(&message) {
            code = "unknown-word";
            text = format!("`{word}` is none of the words that may stand here");
            help = help.or_else(|| advice(word, known));
        } else if let Some((word, known)) = wording::unknown_field(&message) {
            code = "unknown-key";
            text = format!("unknown key `{word}`");
            help = help.or_else(|| advice(word, known));
        }
        let diagnostic = Diagnostic::error(code, text, source.span(at));
        findings.push(Diagnostic { help, ..diagnostic });
    }
}
