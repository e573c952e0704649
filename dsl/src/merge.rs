//! Declarations of one thing to one draft: compatible ones merge, others are a conflict that shows both places.

use crate::draft::{Declaration, Draft};
use crate::findings::Findings;
use model::{Diagnostic, Id, Merge, SECRET_KEY, Segment, Span};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap};

/// Leaves one draft for each id, at the place of its first declaration.
pub fn merge<'a>(list: Vec<Draft<'a>>, findings: &mut Findings) -> Vec<Draft<'a>> {
    let mut index: HashMap<Id, usize> = HashMap::with_capacity(list.len());
    let mut merged: Vec<Draft<'a>> = Vec::with_capacity(list.len());
    for draft in list {
        match index.get(&draft.id).and_then(|at| merged.get_mut(*at)) {
            Some(first) => unite(first, draft, findings),
            None => {
                index.insert(draft.id.clone(), merged.len());
                merged.push(draft);
            }
        }
    }
    merged
}

fn unite<'a>(first: &mut Draft<'a>, next: Draft<'a>, findings: &mut Findings) {
    if let (Some(one), Some(other)) = (first.declarations.first(), next.declarations.first())
        && std::ptr::eq(one.resource, other.resource)
    {
        let message = format!("two elements of this `for_each` make {}", first.id);
        let help = "use `{{ each.key }}` in the name, so that each element has its own";
        findings.push(Diagnostic::error("conflict", message, first.span()).help(help));
        return;
    }
    first.broken |= next.broken;
    if first.broken {
        return first.relations.extend(next.relations);
    }
    ensure_agrees(first, &next, findings);
    for (key, value) in next.params {
        match first.params.get(&key) {
            None => {
                first.params.insert(key, value);
            }
            Some(kept) if same(kept, &first.hidden, &value, &next.hidden) => {}
            Some(Json::Array(kept)) if unites(first, &key) && value.is_array() && plain(kept) => {
                let new: Vec<Json> =
                    elements(value).into_iter().filter(|item| !kept.contains(item)).collect();
                if let Some(Json::Array(kept)) = first.params.get_mut(&key) {
                    kept.extend(new);
                }
            }
            Some(kept) => findings.push(conflict(first, &next.declarations, &key, (kept, &value))),
        }
    }
    // References of both declarations have the same name; equal keys hold equal bytes by now, or compiling fails.
    next.hidden.into_iter().for_each(|(name, bytes)| {
        first.hidden.entry(name).or_insert(bytes);
    });
    if first.common.timeout.is_some()
        && next.common.timeout.is_some()
        && first.common.timeout != next.common.timeout
    {
        findings.push(both_places(first, &next.declarations, "timeout").help("say it in one place"));
    }
    first.common.timeout = first.common.timeout.or(next.common.timeout);
    first.common.tags.extend(next.common.tags);
    if next.common.on_removal != Default::default() {
        first.common.on_removal = next.common.on_removal;
    }
    // Where only one of them lets things be repaired, they are left.
    let said = [first.common.on_drift, next.common.on_drift];
    first.common.on_drift = said.into_iter().flatten().min();
    first.auto &= next.auto;
    first.source = first.source.take().or(next.source);
    first.tree = first.tree.take().or(next.tree);
    first.relations.extend(next.relations);
    first.declarations.extend(next.declarations);
}

/// `ensure` left out means its default: `package.x` and `package.x` with `ensure = "absent"` contradict each other.
fn ensure_agrees(first: &mut Draft<'_>, next: &Draft<'_>, findings: &mut Findings) {
    let Some(field) = first.kind.fields().iter().find(|field| field.name == "ensure") else { return };
    let default = Json::from(field.default.trim_matches('"'));
    let (one, other) = (first.params.get("ensure"), next.params.get("ensure"));
    if one.is_some() != other.is_some() && one.or(other) != Some(&default) {
        let values = (one.unwrap_or(&default), other.unwrap_or(&default));
        findings.push(conflict(first, &next.declarations, "ensure", values));
    }
}

fn unites(draft: &Draft<'_>, key: &str) -> bool {
    draft.kind.fields().iter().any(|field| field.name == key && field.merge == Merge::Union)
}

fn elements(value: Json) -> Vec<Json> {
    match value {
        Json::Array(items) => items,
        other => vec![other],
    }
}

fn plain(items: &[Json]) -> bool {
    items.iter().all(|item| item.get(SECRET_KEY).is_none())
}

/// Equality that looks through references to secrets.
fn same(
    one: &Json,
    of_one: &BTreeMap<String, Vec<u8>>,
    other: &Json,
    of_other: &BTreeMap<String, Vec<u8>>,
) -> bool {
    match (secret(one), secret(other)) {
        (Some(one), Some(other)) => of_one.get(one) == of_other.get(other),
        (None, None) => match (one, other) {
            (Json::Array(one), Json::Array(other)) => {
                one.len() == other.len()
                    && one.iter().zip(other).all(|(one, other)| same(one, of_one, other, of_other))
            }
            (Json::Object(one), Json::Object(other)) => {
                one.len() == other.len()
                    && one.iter().all(|(key, one)| {
                        other.get(key).is_some_and(|other| same(one, of_one, other, of_other))
                    })
            }
            _ => one == other,
        },
        _ => false,
    }
}

fn secret(value: &Json) -> Option<&str> {
    value.get(SECRET_KEY)?.as_str()
}

fn conflict(first: &Draft<'_>, next: &[Declaration<'_>], key: &str, values: (&Json, &Json)) -> Diagnostic {
    let mut diagnostic = both_places(first, next, key);
    let [one, other] = [values.0, values.1].map(|value| format!("`{key}` is {} here", shown(value)));
    let texts = [other, one];
    for (label, text) in diagnostic.labels.iter_mut().zip(texts) {
        label.text = text;
    }
    diagnostic.help("give both the same value, or say it in one place only")
}

/// A conflict about one key, the later place first.
fn both_places(first: &Draft<'_>, next: &[Declaration<'_>], key: &str) -> Diagnostic {
    let here = first.span_of(&[Segment::Key(key.to_owned())]);
    let there = next.iter().map(|one| span_in(one, key)).next().unwrap_or_else(|| first.span());
    let message = format!("{} is declared twice, and `{key}` differs", first.id);
    Diagnostic::error("conflict", message, there).and(here, "")
}

fn span_in(one: &Declaration<'_>, key: &str) -> Span {
    let common = || one.resource.common(key).map(|entry| entry.item.at);
    let at = one.place_of(key).or_else(common).unwrap_or(one.resource.at);
    one.source.span(at)
}

/// A value in few words; nothing of a secret.
fn shown(value: &Json) -> String {
    if secret(value).is_some() || value.to_string().contains(SECRET_KEY) {
        return "a secret".to_owned();
    }
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or("")),
        None => text,
    }
}
