//! A resource on its way to a node: evaluated, not yet merged, checked and linked.

use crate::content::Found;
use crate::document::{Item, Table, Value};
use crate::parts::Resource;
use crate::source::{Extent, Place, Source};
use crate::trees::FoundTree;
use model::{Common, Id, KindInfo, Segment, Span};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One declaration in the text.
#[derive(Clone, Copy)]
pub struct Declaration<'a> {
    /// The text.
    pub source: &'a Arc<Source>,
    /// The table in it.
    pub resource: &'a Resource,
}

impl Declaration<'_> {
    /// Where the name stands.
    pub fn place(&self) -> Place {
        Place { source: self.source.clone(), at: self.resource.at }
    }

    /// Where a key's value stands; `content` may stand in a file that `source` or `template` names, as a `tree` does in a directory.
    pub fn place_of(&self, key: &str) -> Option<Extent> {
        let keys = &self.resource.keys;
        let other = || match key {
            "content" => keys.get("template").or_else(|| keys.get("source")),
            "tree" => keys.get("source"),
            _ => None,
        };
        keys.get(key).or_else(other).map(|entry| entry.item.at)
    }

    /// Where a part of a value stands, as near as it is known.
    fn deep_place(&self, path: &[Segment]) -> Option<Extent> {
        let (Segment::Key(first), rest) = path.split_first()? else { return None };
        let whole = self.place_of(first)?;
        let inner = self.resource.keys.get(first).and_then(|entry| descend(&entry.item, rest));
        Some(inner.unwrap_or(whole))
    }
}

/// Where a part of a value stands, as near as it is known.
pub fn descend(item: &Item, path: &[Segment]) -> Option<Extent> {
    let Some((first, rest)) = path.split_first() else { return Some(item.at) };
    let inner = match (&item.value, first) {
        (Value::Table(Table { entries }), Segment::Key(key)) => {
            entries.iter().find(|entry| entry.key == *key).map(|entry| &entry.item)
        }
        (Value::Array(items), Segment::Index(at)) => items.get(*at),
        _ => None,
    };
    Some(inner.and_then(|inner| descend(inner, rest)).unwrap_or(item.at))
}

/// Which way a relation runs, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The target comes first.
    Require,
    /// The target comes after.
    Before,
    /// The target comes after and is refreshed.
    Notify,
    /// The target comes first and refreshes.
    Subscribe,
}

impl Direction {
    /// From the key's name.
    pub fn parse(key: &str) -> Option<Self> {
        Some(match key {
            "require" => Self::Require,
            "before" => Self::Before,
            "notify" => Self::Notify,
            "subscribe" => Self::Subscribe,
            _ => return None,
        })
    }
}

/// What a relation names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A whole `for_each`, by the text of its key.
    Group(String),
    /// `kind.name` or `module.name`.
    Named(String),
}

/// One relation as it is written.
#[derive(Clone)]
pub struct Relation {
    /// Which way.
    pub direction: Direction,
    /// To whom.
    pub target: Target,
    /// Where it is written.
    pub place: Place,
    /// The instance of the module that says so; labels are looked for there first.
    pub module: Option<String>,
}

/// A resource on its way to a node.
pub struct Draft<'a> {
    /// Its id.
    pub id: Id,
    /// Its kind.
    pub kind: &'a dyn KindInfo,
    /// Declarations, the main one first; more than one after merging.
    pub declarations: Vec<Declaration<'a>>,
    /// The kind's own keys, secrets as references.
    pub params: Map<String, Json>,
    /// Bytes of the secrets, by the name of the reference.
    pub hidden: BTreeMap<String, Vec<u8>>,
    /// The file that `source` names.
    pub source: Option<Found>,
    /// The directory that `source` names.
    pub tree: Option<Arc<FoundTree>>,
    /// Tags, timeout, removal.
    pub common: Common,
    /// False where automatic edges are turned off.
    pub auto: bool,
    /// Relations as written.
    pub relations: Vec<Relation>,
    /// True where some key of it is wrong, which has been told: only its relations are worth a look.
    pub broken: bool,
}

impl Draft<'_> {
    /// Where its name stands in the main declaration.
    pub fn span(&self) -> Span {
        match self.declarations.first() {
            Some(main) => main.place().span(),
            None => crate::findings::whole_file(""),
        }
    }

    /// Where the value at `path` stands, as near as it is known.
    pub fn span_of(&self, path: &[Segment]) -> Span {
        let found = self.declarations.iter().find_map(|one| Some((one.source, one.deep_place(path)?)));
        found.map_or_else(|| self.span(), |(source, at)| source.span(at))
    }

    /// True where the value at `path` is written as a text with `{{ … }}`.
    pub fn is_templated(&self, path: &[Segment]) -> bool {
        let found = self.declarations.iter().find_map(|one| Some((one.source, one.deep_place(path)?)));
        let words = found.and_then(|(source, at)| source.text().get(at.range()));
        words.is_some_and(|words| words.starts_with(['"', '\'']) && words.contains("{{"))
    }
}

/// All drafts, and what is known of those that are not there.
#[derive(Default)]
pub struct Drafts<'a> {
    /// In the order of evaluation.
    pub list: Vec<Draft<'a>>,
    /// Resources that are switched off or could not be evaluated: references to them are dropped.
    pub off: BTreeSet<String>,
    /// Ids of each `for_each`, by `kind.` and the key as written.
    pub groups: BTreeMap<String, Vec<Id>>,
    /// Ids of each instance of a module.
    pub modules: BTreeMap<String, Vec<Id>>,
}
