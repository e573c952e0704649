//! Takes secrets out of a draft: what is secret goes into the draft's hidden bytes, a reference stays. After this
//! pass no secret stands in any parameter.

use crate::context::Both;
use crate::draft::Draft;
use crate::findings::Findings;
use crate::source::Place;
use model::{Content, Diagnostic, SECRET_KEY, Taint};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Puts evaluated fields into the draft.
pub fn seal(draft: &mut Draft<'_>, fields: Vec<(&str, Both)>, findings: &mut Findings) {
    let sensitive = fields.iter().any(|(key, value)| *key == "sensitive" && value.real == Json::Bool(true));
    for (key, value) in fields {
        let taint =
            draft.kind.fields().iter().find(|field| field.name == key).map_or(Taint::Never, |one| one.taint);
        let all = taint == Taint::Always || (taint == Taint::Sensitive && sensitive);
        if taint == Taint::Never && value.is_secret() {
            let at = draft.span_of(&[model::Segment::Key(key.to_owned())]);
            let diagnostic = Diagnostic::error("secret-not-allowed", format!("a secret in `{key}`"), at)
                .help("this key is shown in plans and logs: use another value");
            findings.push(diagnostic);
            continue;
        }
        if all {
            hide_literals(draft, key, findings);
        }
        let value = if all { value.hide() } else { value };
        let sealed = match &value.masked {
            Some(masked) => {
                let name = format!("{}#{key}", draft.id);
                Hider { hidden: &mut draft.hidden, name }.hide(&value.real, masked)
            }
            None => value.real,
        };
        draft.params.insert(key.to_owned(), sealed);
    }
    if let Some(found) = &draft.source {
        draft.params.insert("content".to_owned(), Content::reference(found.digest, found.size));
    }
    if let Some(found) = &draft.tree {
        draft.params.insert("tree".to_owned(), found.tree.to_json());
    }
}

/// No diagnostic may show a line with the literal of a secret.
fn hide_literals(draft: &Draft<'_>, key: &str, findings: &mut Findings) {
    for one in &draft.declarations {
        if let Some(entry) = one.resource.keys.get(key) {
            findings.hide(Place { source: one.source.clone(), at: entry.item.at });
        }
    }
}

struct Hider<'a> {
    hidden: &'a mut BTreeMap<String, Vec<u8>>,
    name: String,
}

impl Hider<'_> {
    /// Replaces what differs between both renderings by references.
    fn hide(&mut self, real: &Json, masked: &Json) -> Json {
        match (real, masked) {
            (real, masked) if real == masked => real.clone(),
            (Json::Object(map), masked) => {
                let item = |(key, item): (&String, &Json)| {
                    let other = masked.get(key).unwrap_or(&Json::Null);
                    (key.clone(), self.within(&format!(".{key}"), item, other))
                };
                Json::Object(map.iter().map(item).collect())
            }
            (Json::Array(items), masked) => {
                let item = |(at, item): (usize, &Json)| {
                    self.within(&format!("[{at}]"), item, masked.get(at).unwrap_or(&Json::Null))
                };
                Json::Array(items.iter().enumerate().map(item).collect())
            }
            (Json::String(text), _) => self.keep(text.clone().into_bytes()),
            (other, _) => self.keep(other.to_string().into_bytes()),
        }
    }

    fn within(&mut self, step: &str, real: &Json, masked: &Json) -> Json {
        let length = self.name.len();
        self.name.push_str(step);
        let sealed = self.hide(real, masked);
        self.name.truncate(length);
        sealed
    }

    fn keep(&mut self, bytes: Vec<u8>) -> Json {
        self.hidden.insert(self.name.clone(), bytes);
        json!({ SECRET_KEY: self.name })
    }
}
