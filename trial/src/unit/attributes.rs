//! Keys of a resource, held against what a test expects of them. A secret is compared and never shown.

use crate::unit::expect::Attribute;
use crate::unit::judge::declared;
use dsl::document::{Item, Table, Value};
use dsl::{Compiled, Loader};
use model::{Content, KindInfo, Node, REDACTED, SECRET_KEY, holds_secret};
use serde_json::Value as Json;

/// Longest value that is shown, in characters.
const LONGEST: usize = 200;

/// Where values are found.
pub struct Values<'a> {
    /// What was compiled.
    pub compiled: &'a Compiled,
    /// For contents that stand in files.
    pub loader: &'a dyn Loader,
    /// The kinds there are.
    pub kinds: &'a [&'a dyn KindInfo],
}

/// Whether a value may be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    Value,
    Nothing,
}

impl Values<'_> {
    /// What is wrong with an attribute of a node; nothing where it is as expected.
    pub fn fault(&self, node: &Node, attribute: &Attribute) -> Option<String> {
        let Attribute { id, key, wanted, .. } = attribute;
        let common = serde_json::to_value(&node.common).expect("common keys are plain data");
        let Some(found) = node.params.get(key).or_else(|| common.get(key)).filter(|found| !found.is_null())
        else {
            return Some(format!("{id} does not say `{key}`{}{}", declared(node), self.advice(node, key)));
        };
        let show = if holds_secret(found) { Show::Nothing } else { Show::Value };
        let found = match self.plain(found) {
            Ok(found) => found,
            Err(why) => return Some(format!("{key} of {id} cannot be told: {why}")),
        };
        let message = compare(key, &found, wanted, show)?;
        Some(format!("{id}: {message}{}", declared(node)))
    }

    /// The keys that were said, or the one that was meant.
    fn advice(&self, node: &Node, key: &str) -> String {
        let kind = self.kinds.iter().find(|kind| kind.name() == node.id.kind());
        let known = kind.into_iter().flat_map(|kind| kind.fields()).map(|field| field.name.as_str());
        if known.clone().any(|known| known == key) {
            return String::new();
        }
        let said = node.params.as_object().into_iter().flat_map(|map| map.keys().map(String::as_str));
        dsl::advice(key, known.chain(said)).map(|advice| format!("; {advice}")).unwrap_or_default()
    }

    /// With secrets and contents in place of the references to them.
    fn plain(&self, value: &Json) -> Result<Json, String> {
        if let Some((digest, _)) = Content::referred(value) {
            let path = self.compiled.blobs.get(&digest).ok_or("its file is not known")?;
            let bytes = self.loader.read(path)?.ok_or_else(|| format!("{} is gone", path.display()))?;
            return String::from_utf8(bytes).map(Json::String).map_err(|_| "it is no text".to_owned());
        }
        match value {
            Json::Object(map) => match map.get(SECRET_KEY).and_then(Json::as_str) {
                Some(name) => {
                    let found = self.compiled.secrets.entries().find(|(own, _)| *own == name);
                    let bytes = found
                        .map(|(_, bytes)| bytes.expose().clone())
                        .ok_or("it is a secret that is not here")?;
                    String::from_utf8(bytes).map(Json::String).map_err(|_| "it is no text".to_owned())
                }
                None => map.iter().map(|(key, value)| Ok((key.clone(), self.plain(value)?))).collect(),
            },
            Json::Array(items) => items.iter().map(|item| self.plain(item)).collect(),
            other => Ok(other.clone()),
        }
    }
}

/// What is wrong with a value; nothing where it is as wanted.
fn compare(key: &str, found: &Json, wanted: &Item, show: Show) -> Option<String> {
    if let Some((word, part)) = part_of(found, wanted) {
        let holds = match found {
            Json::String(text) => part.as_str().is_some_and(|part| text.contains(part)),
            Json::Array(items) => items.contains(&part),
            _ => false,
        };
        return match (word, holds) {
            ("contains", false) => Some(format!(
                "{key} does not contain {}, it is {}",
                shown(&part, Show::Value),
                shown(found, show)
            )),
            ("lacks", true) => Some(format!("{key} contains {}", shown(&part, Show::Value))),
            _ => None,
        };
    }
    let wanted = wanted.plain();
    if *found == wanted {
        return None;
    }
    match (found, &wanted, show) {
        (Json::String(found), Json::String(wanted), Show::Value)
            if found.contains('\n') || wanted.contains('\n') =>
        {
            Some(format!("{key} {}", lines(found, wanted)))
        }
        _ => Some(format!("{key} is {}, not {}", shown(found, show), shown(&wanted, Show::Value))),
    }
}

/// `{ contains = … }` or `{ lacks = … }`, of a text or a list.
fn part_of<'a>(found: &Json, wanted: &'a Item) -> Option<(&'a str, Json)> {
    let (Json::String(_) | Json::Array(_), Value::Table(Table { entries })) = (found, &wanted.value) else {
        return None;
    };
    match &entries[..] {
        [one] if matches!(one.key.as_str(), "contains" | "lacks") => Some((&one.key, one.item.plain())),
        _ => None,
    }
}

/// The first line in which two texts differ.
fn lines(found: &str, wanted: &str) -> String {
    let (mut one, mut other) = (found.split('\n'), wanted.split('\n'));
    for number in 1.. {
        let told = |line: Option<&str>| {
            line.map_or("missing".to_owned(), |line| shown(&Json::from(line), Show::Value))
        };
        match (one.next(), other.next()) {
            (found, wanted) if found == wanted && found.is_some() => {}
            (found, wanted) => return format!("line {number} is {}, not {}", told(found), told(wanted)),
        }
    }
    unreachable!("two texts that differ do so in some line")
}

fn shown(value: &Json, show: Show) -> String {
    if show == Show::Nothing {
        return REDACTED.to_owned();
    }
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
