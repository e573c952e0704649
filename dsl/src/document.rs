//! TOML text to a tree in which every key and value knows its place. Knows nothing of kinds; `parts` comes next.

use crate::findings::Findings;
use crate::source::{Extent, Source};
use model::Diagnostic;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Deeper than this nothing is meant to be.
const DEEPEST: usize = 64;
/// More than this many syntax errors of one file help nobody.
const MOST_ERRORS: usize = 20;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is.
    pub value: Value,
    /// Where it stands, quotes included; of a table with a header, the header.
    pub at: Extent,
}

/// A value of TOML. Dates are not among them: no key takes one.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A finite number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// An array.
    Array(Vec<Item>),
    /// A table.
    Table(Table),
}

impl Value {
    /// What it is, in words.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Bool(_) => "a boolean",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}

impl Item {
    /// The value without its places, braces and all.
    pub fn plain(&self) -> serde_json::Value {
        crate::strings::plain(self)
    }
}

/// A table in the order of its text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Keys and values; no key stands twice.
    pub entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key, unquoted.
    pub key: String,
    /// Where the key stands.
    pub at: Extent,
    /// Its value.
    pub item: Item,
}

impl Table {
    /// The entry of a key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// Reads a whole text that is no resources file, such as one of tests, for who keeps to places as the compiler does.
///
/// Errors with all that is no TOML in it.
pub fn read(source: &Arc<Source>) -> Result<Table, Vec<Diagnostic>> {
    let mut findings = Findings::default();
    let table = parse(source, &mut findings);
    table.ok_or_else(|| findings.finish())
}

/// Parses a whole document; `None` where it is no TOML, which has then been told.
pub(crate) fn parse(source: &Arc<Source>, findings: &mut Findings) -> Option<Table> {
    let (root, errors) = DeTable::parse_recoverable(source.text());
    if !errors.is_empty() {
        report(source, root.get_ref(), &errors, findings);
        return None;
    }
    let before = findings.errors();
    let table = Reader { source, findings }.table(root.into_inner(), 0);
    (findings.errors() == before).then_some(table)
}

/// Parses one value, such as that of `--set key=value`; `None` where it is no TOML.
pub(crate) fn parse_value(source: &Arc<Source>, at: usize, findings: &mut Findings) -> Option<Item> {
    let text = source.text().get(at..)?;
    let value = DeValue::parse(text).ok()?;
    let mut item = Reader { source, findings }.item(value, 0);
    item.at = Extent::new(at..source.text().len());
    Some(item)
}

/// One error a line: a slip early in a line makes the parser stumble over the rest of it.
fn report(source: &Arc<Source>, root: &DeTable<'_>, errors: &[toml::de::Error], findings: &mut Findings) {
    let end = source.text().len();
    let mut last_line = 0;
    for error in errors.iter().take(MOST_ERRORS) {
        let range = error.span().unwrap_or(end..end);
        let at = Extent::new(range.start.min(end)..range.end.min(end));
        let line = source.origin(at).line;
        if line == last_line {
            continue;
        }
        last_line = line;
        let words = source.text().get(at.range()).unwrap_or("");
        let diagnostic = if error.message().starts_with("duplicate key") {
            let message = format!("`{words}` stands twice");
            let help = "each key and each table stands once: remove one of the two, or merge them";
            let diagnostic = Diagnostic::error("duplicate-key", message, source.span(at)).help(help);
            match first_of(source, root, at) {
                Some(first) => diagnostic.and(source.span(first), "it stands here already"),
                None => diagnostic,
            }
        } else {
            let diagnostic = Diagnostic::error("syntax", error.message().to_owned(), source.span(at));
            Diagnostic { help: way_out(error.message(), words).map(str::to_owned), ..diagnostic }
        };
        findings.push(diagnostic);
    }
}

/// What to type instead, for the slips that are made most; `words` are those at the place.
fn way_out(message: &str, words: &str) -> Option<&'static str> {
    if words.starts_with('/') {
        Some(
            "a name that holds more than letters, digits, `-` and `_` stands in quotes, as in [file.\"/etc/motd\"]",
        )
    } else if message.starts_with("missing escaped value") {
        Some("write the backslash twice, or the text in single quotes, where it is no escape")
    } else if message.starts_with("invalid basic string") {
        Some("close the string in its line; one of several lines stands in \"\"\"three quotes\"\"\"")
    } else {
        None
    }
}

/// Where the key that stands a second time at `again` stands first. A header stands twice in the same words; a plain
/// key belongs to the table that is open, so that the last one of its name is meant.
fn first_of(source: &Source, root: &DeTable<'_>, again: Extent) -> Option<Extent> {
    let text = source.text();
    let key = text.get(again.range())?;
    let head = text.get(..again.range().start)?;
    let start = head.rfind('\n').map_or(0, |at| at + 1);
    let header = text.get(start..)?.lines().next()?.trim_end();
    if header.starts_with('[') {
        let first = head.split_inclusive('\n').scan(0, |at, line| {
            *at += line.len();
            Some((*at - line.len(), line.trim_end()))
        });
        let (at, _) = first.take_while(|(at, _)| *at < start).find(|(_, line)| *line == header)?;
        let moved = again.range().start - start + at;
        return Some(Extent::new(moved..moved + key.len()));
    }
    let mut found = None;
    last_before(root, key, again, &mut found);
    found
}

fn last_before(table: &DeTable<'_>, key: &str, before: Extent, found: &mut Option<Extent>) {
    for (name, value) in table {
        let at = Extent::new(name.span());
        if name.get_ref() == key && at.start < before.start && found.is_none_or(|found| found < at) {
            *found = Some(at);
        }
        if let DeValue::Table(table) = value.get_ref() {
            last_before(table, key, before, found);
        }
    }
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn table(&mut self, table: DeTable<'_>, depth: usize) -> Table {
        let mut entries: Vec<Entry> = table
            .into_iter()
            .map(|(key, value)| {
                let at = Extent::new(key.span());
                Entry { key: key.into_inner().into_owned(), at, item: self.item(value, depth + 1) }
            })
            .collect();
        entries.sort_by_key(|entry| entry.at);
        Table { entries }
    }

    fn item(&mut self, value: Spanned<DeValue<'_>>, depth: usize) -> Item {
        let at = Extent::new(value.span());
        if depth > DEEPEST {
            self.refuse(at, "this is nested too deep", "64 levels are enough for any value");
            return Item { value: Value::Bool(false), at };
        }
        let value = match value.into_inner() {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Boolean(value) => Value::Bool(value),
            DeValue::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.item(item, depth + 1)).collect())
            }
            DeValue::Table(table) => Value::Table(self.table(table, depth)),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Integer(number),
                Err(_) => {
                    self.refuse(
                        at,
                        "this integer is too large",
                        "integers have 64 bits; write it in quotes if it is a name",
                    );
                    Value::Integer(0)
                }
            },
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => Value::Float(number),
                _ => {
                    self.refuse(
                        at,
                        "this is no finite number",
                        "write a finite number, or a string in quotes",
                    );
                    Value::Float(0.0)
                }
            },
            DeValue::Datetime(date) => {
                self.refuse(at, "no key takes a date as such", &format!("write it as a string: \"{date}\""));
                Value::Text(date.to_string())
            }
        };
        Item { value, at }
    }

    fn refuse(&mut self, at: Extent, message: &str, help: &str) {
        self.findings.push(Diagnostic::error("bad-value", message, self.source.span(at)).help(help));
    }
}
