//! `keel.toml`: what a site says of itself. Follows nothing that it names; `project` does.

use crate::document::{self, Entry, Value};
use crate::findings::Findings;
use crate::nearest::did_you_mean;
use crate::parts::texts;
use crate::source::{Extent, Source};
use model::{Diagnostic, Retention};
use std::sync::Arc;

const KEYS: [&str; 4] = ["name", "modules", "keep_runs", "keep_days"];

/// More than anybody means, and little enough to count with.
const MOST: i64 = 1_000_000;

/// What stands in `keel.toml`.
#[derive(Debug)]
pub struct Settings {
    /// What the site calls itself.
    pub name: Option<String>,
    /// Where its modules are, below it.
    pub modules: Vec<String>,
    /// How long its hosts remember their runs.
    pub keep: Retention,
}

impl Default for Settings {
    fn default() -> Self {
        Self { name: None, modules: vec!["modules".to_owned()], keep: Retention::default() }
    }
}

/// What is wrong with a key: code, message, place, what to type instead.
type Wrong = (&'static str, String, Extent, String);

/// Reads `keel.toml`.
pub fn read(source: &Arc<Source>, findings: &mut Findings) -> Settings {
    let mut settings = Settings::default();
    for entry in document::parse(source, findings).unwrap_or_default().entries {
        let (key, at) = (entry.key, entry.at);
        let wrong: Vec<Wrong> = match (key.as_str(), entry.item.value) {
            ("project", Value::Table(project)) => {
                project.entries.into_iter().filter_map(|entry| settings.take(entry).err()).collect()
            }
            _ => {
                let message = format!("unknown key `{key}` of keel.toml");
                vec![("unknown-key", message, at, "keel.toml has one table, [project]".to_owned())]
            }
        };
        for (code, message, at, help) in wrong {
            findings.push(Diagnostic::error(code, message, source.span(at)).help(help));
        }
    }
    settings
}

impl Settings {
    fn take(&mut self, Entry { key, at, item }: Entry) -> Result<(), Wrong> {
        match key.as_str() {
            "name" => match item.value {
                Value::Text(name) => self.name = Some(name),
                _ => return Err(mistyped("`name` is a string".to_owned(), item.at, "write it in quotes")),
            },
            "modules" => {
                let found = texts(item.value, item.at)
                    .map_err(|(message, at)| mistyped(message, at, "write modules = [\"modules\"]"))?;
                self.modules = found.into_iter().map(|(dir, _)| dir).collect();
            }
            "keep_runs" => self.keep.runs = Some(count(&key, item.value, item.at)?),
            "keep_days" => self.keep.days = Some(count(&key, item.value, item.at)?),
            _ => {
                let message = format!("unknown key `{key}` of [project]");
                let all = || format!("[project] has {}", KEYS.map(|key| format!("`{key}`")).join(", "));
                return Err(("unknown-key", message, at, did_you_mean(&key, KEYS).unwrap_or_else(all)));
            }
        }
        Ok(())
    }
}

fn mistyped(message: String, at: Extent, help: &str) -> Wrong {
    ("wrong-type", message, at, help.to_owned())
}

/// How many; none would leave nothing to roll back.
fn count(key: &str, value: Value, at: Extent) -> Result<u64, Wrong> {
    let help = format!("write {key} = 50");
    match value {
        Value::Integer(count @ 1..=MOST) => Ok(count.unsigned_abs()),
        Value::Integer(_) => Err(("bad-value", format!("`{key}` is a number from 1 to {MOST}"), at, help)),
        other => Err(mistyped(format!("`{key}` is a number, not {}", other.type_name()), at, &help)),
    }
}
