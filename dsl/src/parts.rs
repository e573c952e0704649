//! A document to its declarations: inputs, outputs, module uses, resources. Knows the names of kinds and of their
//! keys, evaluates nothing. `project` comes next.

use crate::common;
use crate::document::{Entry, Item, Table, Value};
use crate::findings::Findings;
use crate::inputs::{self, InputDecl};
use crate::nearest::did_you_mean;
use crate::source::{Extent, Source};
use model::{Diagnostic, KindInfo};
use std::sync::Arc;

/// Tables of a resources file that hold no resources.
const SPECIAL: [&str; 4] = ["about", "inputs", "outputs", "module"];
/// Input names that would be hidden by keys of `[module.NAME]`.
pub const RESERVED: [&str; 9] =
    ["source", "require", "before", "notify", "subscribe", "when", "for_each", "tags", "on_drift"];
/// Common keys that `[module.NAME]` takes.
const OF_USE: [&str; 7] = ["require", "before", "notify", "subscribe", "when", "tags", "on_drift"];

/// What one file declares.
#[derive(Debug, Default)]
pub struct Parts {
    /// What the file is for, in its own words.
    pub doc: Option<String>,
    /// Roles that are included, with their places.
    pub include: Vec<(String, Extent)>,
    /// Declared inputs.
    pub inputs: Vec<InputDecl>,
    /// Declared outputs.
    pub outputs: Vec<Entry>,
    /// Modules that are used.
    pub uses: Vec<Use>,
    /// Resources in the order of the text.
    pub resources: Vec<Resource>,
}

/// `[module.NAME]`.
#[derive(Debug)]
pub struct Use {
    /// Name of the instance.
    pub name: String,
    /// Where the name stands.
    pub at: Extent,
    /// Name of the module; that of the instance unless `source` says another, with its place.
    pub module: (String, Extent),
    /// Values for its inputs.
    pub inputs: Vec<Entry>,
    /// Relations, `when`, tags and what is done about drift.
    pub common: Vec<Entry>,
}

/// `[kind.name]`.
#[derive(Debug)]
pub struct Resource {
    /// Position in the list of kinds.
    pub kind: usize,
    /// The name as written.
    pub name: String,
    /// Where the name stands.
    pub at: Extent,
    /// The kind's own keys.
    pub keys: Table,
    /// The common keys.
    pub common: Vec<Entry>,
    /// True where its name is wrong, which has been told: nothing else of it is worth telling.
    pub broken: bool,
}

/// Where a table belongs that was written among resources.
fn elsewhere(word: &str) -> Option<String> {
    let place = match word {
        "project" => "keel.toml",
        "role" | "roles" => "hosts.toml, as `roles = [\"NAME\"]` of a host, or in `include` below [about]",
        "host" => "hosts.toml",
        _ => return None,
    };
    Some(format!("this stands in {place}"))
}

impl Resource {
    /// A common key, where it is said.
    pub fn common(&self, key: &str) -> Option<&Entry> {
        self.common.iter().find(|entry| entry.key == key)
    }
}

/// Splits a document; what has no place in it is told and left out.
pub fn split(source: &Arc<Source>, root: Table, kinds: &[&dyn KindInfo], findings: &mut Findings) -> Parts {
    let mut splitter = Splitter { source, kinds, findings, parts: Parts::default() };
    for entry in root.entries {
        splitter.top(entry);
    }
    let mut parts = splitter.parts;
    parts.resources.sort_by_key(|resource| resource.at);
    parts
}

struct Splitter<'a> {
    source: &'a Arc<Source>,
    kinds: &'a [&'a dyn KindInfo],
    findings: &'a mut Findings,
    parts: Parts,
}

impl Splitter<'_> {
    fn error(&mut self, code: &'static str, message: String, at: Extent, help: Option<String>) {
        let diagnostic = Diagnostic::error(code, message, self.source.span(at));
        self.findings.push(Diagnostic { help, ..diagnostic });
    }

    fn top(&mut self, entry: Entry) {
        let kind = self.kinds.iter().position(|kind| kind.name() == entry.key);
        if kind.is_none() && !SPECIAL.contains(&entry.key.as_str()) {
            let known = self.kinds.iter().map(|kind| kind.name()).chain(SPECIAL);
            let help = elsewhere(&entry.key)
                .or_else(|| did_you_mean(&entry.key, known))
                .or_else(|| Some("`keel explain` lists all kinds".to_owned()));
            let (code, what) = match entry.item.value {
                Value::Table(_) | Value::Array(_) => ("unknown-kind", "kind"),
                _ => ("unknown-key", "key"),
            };
            return self.error(code, format!("unknown {what} `{}`", entry.key), entry.at, help);
        }
        let Value::Table(table) = entry.item.value else {
            let message = format!("`{}` is {}, not a table", entry.key, entry.item.value.type_name());
            let help = format!("write [{}.NAME] and its keys below", entry.key);
            return self.error("wrong-type", message, entry.item.at, Some(help));
        };
        match (kind, entry.key.as_str()) {
            (Some(kind), _) => table.entries.into_iter().for_each(|entry| self.resource(kind, entry)),
            (None, "about") => self.about(table),
            (None, "inputs") => {
                for entry in table.entries {
                    self.parts.inputs.extend(inputs::declare(self.source, entry, self.findings));
                }
            }
            (None, "outputs") => self.parts.outputs.extend(table.entries),
            (None, _) => table.entries.into_iter().for_each(|entry| self.module(entry)),
        }
    }

    fn about(&mut self, table: Table) {
        for entry in table.entries {
            match (entry.key.as_str(), entry.item.value) {
                ("doc", Value::Text(text)) => self.parts.doc = Some(text),
                ("doc", other) => {
                    let message = format!("expected a string, found {}", other.type_name());
                    self.error("wrong-type", message, entry.item.at, None);
                }
                ("include", value) => {
                    let names = texts(value, entry.item.at);
                    match names {
                        Ok(names) => self.parts.include.extend(names),
                        Err((message, at)) => self.error("wrong-type", message, at, None),
                    }
                }
                (key, _) => {
                    let help = did_you_mean(key, ["doc", "include"]);
                    self.error("unknown-key", format!("unknown key `{key}` of `about`"), entry.at, help);
                }
            }
        }
    }

    fn module(&mut self, entry: Entry) {
        let Value::Table(table) = entry.item.value else {
            let message = format!("`module.{}` is {}, not a table", entry.key, entry.item.value.type_name());
            return self.error("wrong-type", message, entry.item.at, Some("write [module.NAME]".to_owned()));
        };
        if !is_plain_name(&entry.key) {
            let message = format!("`{}` is no name of a module", entry.key);
            let help = "letters, digits, `-` and `_` make a name".to_owned();
            return self.error("bad-name", message, entry.at, Some(help));
        }
        let module = (entry.key.clone(), entry.at);
        let mut found = Use { name: entry.key, at: entry.at, module, inputs: Vec::new(), common: Vec::new() };
        for entry in table.entries {
            match (entry.key.as_str(), &entry.item.value) {
                ("source", Value::Text(name)) if is_plain_name(name) => {
                    found.module = (name.clone(), entry.item.at);
                }
                ("source", _) => {
                    let message = "`source` is the name of a module".to_owned();
                    self.error(
                        "wrong-type",
                        message,
                        entry.item.at,
                        Some("write source = \"nginx\"".to_owned()),
                    );
                }
                (key, _) if OF_USE.contains(&key) => found.common.push(entry),
                ("for_each", _) => {
                    let help = "write one [module.NAME] with `source` for each".to_owned();
                    self.error(
                        "unknown-key",
                        "a module takes no `for_each`".to_owned(),
                        entry.at,
                        Some(help),
                    );
                }
                _ => found.inputs.push(entry),
            }
        }
        self.parts.uses.push(found);
    }

    fn resource(&mut self, kind: usize, entry: Entry) {
        let Some(info) = self.kinds.get(kind) else { return };
        let word = info.name();
        let Value::Table(table) = entry.item.value else {
            let message = format!("`{word}.{}` is {}, not a table", entry.key, entry.item.value.type_name());
            let help = format!("write [{word}.NAME] and its keys below");
            return self.error("wrong-type", message, entry.at, Some(help));
        };
        let mut found = Resource {
            kind,
            name: entry.key,
            at: entry.at,
            keys: Table::default(),
            common: Vec::new(),
            broken: false,
        };
        for entry in table.entries {
            let field = info.fields().iter().find(|field| field.name == entry.key);
            match (common::is_common(&entry.key), field.is_some()) {
                // A word of the kind's own is one; anything else is the condition that every resource may have.
                (true, true) if entry.key == "when" => {
                    let words = field.map_or("", |field| field.expects.as_str());
                    match &entry.item.value {
                        Value::Text(text) if words.contains(&format!("\"{text}\"")) => {
                            found.keys.entries.push(entry);
                        }
                        _ => found.common.push(entry),
                    }
                }
                (true, true) => {
                    found.common.push(entry.clone());
                    found.keys.entries.push(entry);
                }
                (true, false) => found.common.push(entry),
                (false, true) => found.keys.entries.push(entry),
                (false, false) => self.unknown_key(*info, &mut found, &entry),
            }
        }
        if found.name.is_empty() {
            self.error("bad-name", format!("this {word} has an empty name"), found.at, None);
        } else {
            self.parts.resources.push(found);
        }
    }

    fn unknown_key(&mut self, info: &dyn KindInfo, resource: &mut Resource, entry: &Entry) {
        let (kind, name, key) = (info.name(), &resource.name, &entry.key);
        let own = info.fields().iter().map(|field| field.name.as_str());
        let mut known: Vec<&str> = own.collect();
        common::names().for_each(|name| known.push(name));
        let mut help = did_you_mean(key, known);
        if help.is_none() && matches!(entry.item.value, Value::Table(_)) {
            resource.broken = true;
            help = Some(format!("a name with a dot stands in quotes: [{kind}.\"{name}.{key}\"]"));
        }
        let help = help.or_else(|| Some(format!("`keel explain {kind}` lists its keys")));
        self.error("unknown-key", format!("unknown key `{key}` of {kind}"), entry.at, help);
    }
}

/// True where a name is made of letters, digits, `-` and `_`: it becomes part of paths and of `--set`.
pub fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// An array of strings that is no template, with the place of each.
pub fn texts(value: Value, at: Extent) -> Result<Vec<(String, Extent)>, (String, Extent)> {
    let Value::Array(items) = value else {
        return Err((format!("expected an array of strings, found {}", value.type_name()), at));
    };
    let one = |item: Item| match item.value {
        Value::Text(text) => Ok((text, item.at)),
        other => Err((format!("expected a string, found {}", other.type_name()), item.at)),
    };
    items.into_iter().map(one).collect()
}
