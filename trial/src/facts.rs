//! Facts of a host that does not exist: some Debian, always the same, and over it what a test says.

use dsl::Source;
use dsl::document::{Entry, Table, Value};
use model::{Diagnostic, Facts, OsFacts};
use serde_json::Value as Json;
use std::sync::Arc;

/// Those of a test that says nothing of them.
pub fn usual() -> Facts {
    let text = |text: &str| text.to_owned();
    let os = OsFacts {
        id: text("debian"),
        id_like: Vec::new(),
        version: text("12"),
        codename: text("bookworm"),
        name: text("Debian GNU/Linux 12 (bookworm)"),
    };
    Facts {
        os,
        hostname: text("host"),
        arch: text("x86_64"),
        deb_arch: text("amd64"),
        kernel: text("6.1.0"),
        cpus: 2,
        memory_mib: 2048,
        addresses: vec![text("192.0.2.10")],
        init: text("systemd"),
        virtualization: text("vm"),
    }
}

/// The usual facts with those of `said` in their place.
///
/// Errors with the keys that are no facts, and the values that none can have.
pub fn with(source: &Arc<Source>, said: &Table) -> Result<Facts, Vec<Diagnostic>> {
    let mut facts = serde_json::to_value(usual()).expect("facts are plain data");
    let mut wrong = Vec::new();
    lay(source, &mut facts, said, &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    serde_json::from_value(facts).map_err(|error| {
        let at = said.entries.first().map(|entry| entry.at).unwrap_or_default();
        let message = format!("no host says such facts: {error}");
        vec![
            Diagnostic::error("bad-value", message, source.span(at))
                .help("`keel facts` shows what a host says"),
        ]
    })
}

fn lay(source: &Arc<Source>, facts: &mut Json, said: &Table, wrong: &mut Vec<Diagnostic>) {
    let Some(map) = facts.as_object_mut() else { return };
    for Entry { key, at, item } in &said.entries {
        let known: Vec<String> = map.keys().cloned().collect();
        let mut refuse = |code, message, help: String, at| {
            wrong.push(Diagnostic::error(code, message, source.span(at)).help(help));
        };
        match (map.get_mut(key), &item.value) {
            (None, _) => {
                let help = dsl::advice(key, known.iter().map(String::as_str)).unwrap_or_default();
                refuse("unknown-key", format!("`{key}` is no fact"), help, *at);
            }
            (Some(inner @ Json::Object(_)), Value::Table(table)) => lay(source, inner, table, wrong),
            (Some(inner), _) if same_type(inner, &item.plain()) => *inner = item.plain(),
            (Some(inner), value) => {
                let message = format!("the fact `{key}` is not {}", value.type_name());
                refuse("wrong-type", message, format!("write something like {inner}"), item.at);
            }
        }
    }
}

fn same_type(one: &Json, other: &Json) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}
