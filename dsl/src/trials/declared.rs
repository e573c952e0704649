//! What else than checks is declared in tests files: tables that somebody else knows, by their documentation. They are taken as they are
//! written: nothing in them is rendered.

use super::problem;
use crate::document::{Entry, Item, Value};
use crate::findings::Findings;
use crate::source::{Extent, Source};
use crate::strings::plain;
use model::{Diagnostic, KindInfo, Span};
use serde_json::Value as Json;
use std::sync::Arc;

/// A table of tests files that is no check.
#[derive(Clone, Copy)]
pub struct Section<'a> {
    /// Its name, its keys and who can decode it.
    pub info: &'a dyn KindInfo,
    /// Whether there are several.
    pub named: Named,
}

/// Whether a section has names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// `[section.NAME]`, as many as there are.
    Each,
    /// `[section]`, once a file.
    Once,
}

/// One table, which its section has decoded without a problem.
#[derive(Clone, Debug)]
pub struct Declared {
    /// The name of its section.
    pub section: String,
    /// Its own name; empty where the section has none.
    pub name: String,
    /// The instance of the module in whose tests it stands.
    pub module: Option<String>,
    /// Its keys, as they are written.
    pub params: Json,
    /// Where its name stands.
    pub span: Span,
}

/// Reads the tables of a section.
pub fn declared(
    section: &Section<'_>,
    entry: &Entry,
    (source, module): (&Arc<Source>, Option<&str>),
    findings: &mut Findings,
) -> Vec<Declared> {
    let word = section.info.name();
    let mut no_table = |what: &str, item: &Item| {
        let message = format!("`{what}` is {}, not a table", item.value.type_name());
        let help = match section.named {
            Named::Each => format!("write [{word}.NAME] and its keys below"),
            Named::Once => format!("write [{word}] and its keys below"),
        };
        findings.push(Diagnostic::error("wrong-type", message, source.span(item.at)).help(help));
    };
    let Value::Table(table) = &entry.item.value else {
        no_table(word, &entry.item);
        return Vec::new();
    };
    let mut meant: Vec<(&str, Extent, &Item)> = Vec::new();
    match section.named {
        Named::Once => meant.push(("", entry.at, &entry.item)),
        Named::Each => {
            for one in &table.entries {
                match &one.item.value {
                    Value::Table(_) => meant.push((&one.key, one.at, &one.item)),
                    _ => no_table(&format!("{word}.{}", one.key), &one.item),
                }
            }
        }
    }
    let one = |(name, at, item)| table_of(section, (name, at, item), (source, module), findings);
    meant.into_iter().filter_map(one).collect()
}

fn table_of(
    section: &Section<'_>,
    (name, at, item): (&str, Extent, &Item),
    (source, module): (&Arc<Source>, Option<&str>),
    findings: &mut Findings,
) -> Option<Declared> {
    let word = section.info.name();
    let params = plain(item);
    if let Json::Object(map) = &params
        && !problem::keys(section.info, word, (map, (source, item)), findings)
    {
        return None;
    }
    if let Err(problems) = section.info.inspect(name, &params) {
        problem::tell(problems, (source, item), findings);
        return None;
    }
    let (section, name, module) = (word.to_owned(), name.to_owned(), module.map(str::to_owned));
    Some(Declared { section, name, module, params, span: source.span(at) })
}
