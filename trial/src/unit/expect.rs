//! What a test expects of the compiler, as its table `expect` has it. Holds it against nothing; `judge` does.

use crate::fields::Fields;
use dsl::document::{Entry, Item, Table, Value};
use dsl::{Extent, Source};
use model::{Diagnostic, Id};
use std::sync::Arc;

/// What is expected. Each part with its place.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// A code of a diagnostic, or words of its message; then nothing else counts.
    pub error: Option<(String, Extent)>,
    /// Resources that are to be there.
    pub resources: Vec<(Id, Extent)>,
    /// Resources that are not.
    pub absent: Vec<(Id, Extent)>,
    /// What comes before what.
    pub edges: Vec<(Edge, Extent)>,
    /// Keys of resources and their values.
    pub attributes: Vec<Attribute>,
}

/// One comes before another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The first.
    pub from: Id,
    /// The other.
    pub to: Id,
    /// What is to be between them.
    pub sort: Sort,
}

/// What is to be between two resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// `->`: the order of both is certain, by one edge or by several.
    Before,
    /// `~>`: the other is refreshed where the first changed.
    Notifies,
}

/// A key of a resource, and what it is to be.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The resource.
    pub id: Id,
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub at: Extent,
    /// The value, or a table of one of `contains`, `lacks`.
    pub wanted: Item,
}

impl Expect {
    /// Reads the table.
    ///
    /// Errors with all that is wrong in it.
    pub fn read(source: &Arc<Source>, what: &str, table: &Table) -> Result<Self, Vec<Diagnostic>> {
        let mut fields = Fields::of(source, what, table);
        let mut expect =
            Self { error: fields.text("error").map(|(text, at)| (text.to_owned(), at)), ..Self::default() };
        for (key, list) in [("resources", &mut expect.resources), ("absent", &mut expect.absent)] {
            for (text, at) in fields.texts(key) {
                match Id::parse(text) {
                    Some(id) => list.push((id, at)),
                    None => fields.refuse(no_id(text), at, ID_HELP),
                }
            }
        }
        for (text, at) in fields.texts("edges") {
            match edge(text) {
                Some(edge) => expect.edges.push((edge, at)),
                None => {
                    let message = format!("`{text}` names no two resources");
                    let help = "write \"package.a -> service.b\", or \"file./etc/b ~> service.b\" for a notification";
                    fields.refuse(("bad-value", message), at, help);
                }
            }
        }
        for entry in fields.rest() {
            expect.resource(entry, &mut fields);
        }
        let wrong = fields.finish();
        if wrong.is_empty() { Ok(expect) } else { Err(wrong) }
    }

    /// `expect."kind.name".key = …`, or the same without quotes where the name needs none.
    fn resource(&mut self, entry: &Entry, fields: &mut Fields<'_>) {
        let Value::Table(table) = &entry.item.value else {
            let message = format!("unknown key `{}` of `expect`", entry.key);
            let known = ["resources", "absent", "edges", "error"];
            let help = dsl::advice(&entry.key, known).unwrap_or_default();
            return fields.refuse(("unknown-key", message), entry.at, help);
        };
        if let Some(id) = Id::parse(&entry.key) {
            return self.keys(&id, table);
        }
        for inner in &table.entries {
            match &inner.item.value {
                Value::Table(keys) => self.keys(&Id::new(&entry.key, &inner.key), keys),
                _ => fields.refuse(no_id(&entry.key), entry.at, ID_HELP),
            }
        }
    }

    fn keys(&mut self, id: &Id, table: &Table) {
        let one = |entry: &Entry| Attribute {
            id: id.clone(),
            key: entry.key.clone(),
            at: entry.at,
            wanted: entry.item.clone(),
        };
        self.attributes.extend(table.entries.iter().map(one));
    }
}

const ID_HELP: &str = "a resource is called kind.name, such as \"file./etc/motd\"";

fn no_id(text: &str) -> (&'static str, String) {
    ("bad-value", format!("`{text}` names no resource"))
}

fn edge(text: &str) -> Option<Edge> {
    let of = |mark, sort| {
        let (from, to) = text.split_once(mark)?;
        Some(Edge { from: Id::parse(from.trim())?, to: Id::parse(to.trim())?, sort })
    };
    of(" -> ", Sort::Before).or_else(|| of(" ~> ", Sort::Notifies))
}
