//! `--set key=value`: the strongest layer. A value is TOML where it can be, else a string.

use crate::document::{self, Item, Value};
use crate::findings::Findings;
use crate::nearest::advice;
use crate::project::Project;
use crate::source::{Extent, Source};
use crate::types::InputType;
use crate::unit::{Name, Unit};
use model::Diagnostic;
use std::sync::Arc;

/// One `--set`.
#[derive(Debug)]
pub struct Set {
    /// Whose input it is.
    pub unit: Name,
    /// The input.
    pub input: String,
    /// The argument as a text.
    pub source: Arc<Source>,
    at: usize,
}

impl Set {
    /// The value: for what is a string anyway the text itself, quoted or not.
    pub fn value(&self, kind: &InputType) -> Item {
        let text = self.source.text().get(self.at..).unwrap_or("");
        let at = Extent::new(self.at..self.source.text().len());
        let plain = Item { value: Value::Text(text.to_owned()), at };
        let mut findings = Findings::default();
        let parsed =
            document::parse_value(&self.source, self.at, &mut findings).filter(|_| findings.errors() == 0);
        match (kind, parsed) {
            (_, None) => plain,
            (InputType::String | InputType::Secret | InputType::Path, Some(item)) => match item.value {
                Value::Text(_) => item,
                _ => plain,
            },
            (_, Some(item)) => item,
        }
    }
}

/// Finds the inputs that are set; those that there are not are told.
pub fn read(sets: &[(String, String)], project: &Project, findings: &mut Findings) -> Vec<Set> {
    sets.iter().filter_map(|(key, value)| one(key, value, project, findings)).collect()
}

fn one(key: &str, value: &str, project: &Project, findings: &mut Findings) -> Option<Set> {
    let source = Source::new("--set", &format!("{key}={value}"));
    for unit in &project.units {
        if let Some((decl, _)) = unit.parts.inputs.iter().zip(keys(unit)).find(|(_, full)| full == key) {
            return Some(Set {
                unit: unit.name.clone(),
                input: decl.name.clone(),
                source,
                at: key.len() + 1,
            });
        }
    }
    tell_unknown(key, project, findings);
    None
}

/// Tells that there is no such input.
pub fn tell_unknown(key: &str, project: &Project, findings: &mut Findings) {
    let known: Vec<String> = project.units.iter().flat_map(keys).collect();
    let help =
        advice(key, known.iter().map(String::as_str)).unwrap_or_else(|| "nothing here has inputs".to_owned());
    let source = Source::new("--set", key);
    let span = source.span(Extent::new(0..key.len()));
    findings.push(Diagnostic::error("unknown-input", format!("there is no input `{key}`"), span).help(help));
}

/// The names by which inputs of a unit are set.
fn keys(unit: &Unit) -> impl Iterator<Item = String> {
    unit.parts.inputs.iter().map(|decl| match unit.name.key() {
        "" => decl.name.clone(),
        name => format!("{name}.{}", decl.name),
    })
}
