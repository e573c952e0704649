//! The data file of a kind, and the resources that are declared in it.

use crate::host::Start;
use agent::kind::{Described, Resource};
use agent::kinds::ALL;
use model::{Because, Digest, HostPath, Presence, Thing};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `tests/cases/kinds/<kind>.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The host on which the example of the kind is tried.
    #[serde(default)]
    pub example: Start,
    /// Decisions.
    pub case: Vec<Case>,
    /// Hosts for the laws.
    pub host: Vec<Scene>,
}

/// One decision: what is desired, what is seen, and what has to come of it. Exactly one of the last three is given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// `desired.KIND.NAME = { … }`.
    pub desired: toml::Table,
    /// The kind's own `Seen`; a string `sha256 of …` in it stands for the digest of the rest.
    #[serde(default)]
    pub seen: toml::Table,
    /// The steps, a line each.
    pub steps: Option<Vec<String>>,
    /// Why they are due, where that is not that somebody altered the thing.
    pub moved: Option<Because>,
    /// Words of the refusal.
    pub refused: Option<String>,
    /// Problems of the fields, a line each: `field: message [help]`.
    pub invalid: Option<Vec<String>>,
}

/// A host and what is desired of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    pub name: String,
    #[serde(default)]
    pub start: Start,
    /// `desired.KIND.NAME = { … }`, run in the order of their automatic edges.
    pub desired: toml::Table,
    /// What is in some files at the end: text, or `base64:` and the bytes in base64.
    #[serde(default)]
    pub ends: BTreeMap<String, String>,
}

/// A resource as declared.
pub struct Declared {
    pub kind: &'static dyn Described,
    pub name: String,
    pub params: Value,
}

/// Keys of all kinds, which no kind sees.
const COMMON: &[&str] = &[
    "require",
    "before",
    "notify",
    "subscribe",
    "when",
    "for_each",
    "auto",
    "tags",
    "timeout",
    "on_removal",
];

impl Declared {
    pub fn decode(&self) -> Box<dyn Resource> {
        let resource = self.kind.decode(&self.name, &self.params);
        resource.unwrap_or_else(|problems| panic!("{}.{}: {problems:?}", self.kind.name(), self.name))
    }
}

pub fn path_of(kind: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/cases/kinds/{kind}.toml"))
}

impl Data {
    pub fn read(kind: &str) -> Self {
        let path = path_of(kind);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

impl Scene {
    /// The example of the kind, and the hosts of its data file.
    pub fn all(kind: &dyn Described) -> Vec<Scene> {
        let Data { example, host, .. } = Data::read(kind.name());
        let desired = kind.example().parse().expect("an example is TOML");
        let mut scenes =
            vec![Scene { name: "the example".to_owned(), start: example, desired, ends: BTreeMap::new() }];
        scenes.extend(host);
        scenes
    }

    /// The resources, each after what it wants.
    pub fn resources(&self) -> Vec<Box<dyn Resource>> {
        let mut todo: Vec<_> = declared(&self.desired).iter().map(Declared::decode).collect();
        let mut done: Vec<Box<dyn Resource>> = Vec::new();
        while !todo.is_empty() {
            let waits =
                |at: &usize| todo.iter().any(|other| comes_before(other.as_ref(), todo[*at].as_ref()));
            let next = (0..todo.len()).find(|at| !waits(at)).unwrap_or(0);
            done.push(todo.remove(next));
        }
        done
    }
}

fn comes_before(first: &dyn Resource, then: &dyn Resource) -> bool {
    let (first, then) = (first.footprint(), then.footprint());
    let above = |owned: &HostPath, wanted: &HostPath| wanted.starts_with(owned);
    then.wants.iter().any(|wanted| {
        first.claims.iter().filter(|claim| claim.presence == Presence::Present).any(|claim| {
            match (&claim.thing, wanted) {
                (Thing::Path(owned), Thing::Path(wanted)) => above(owned, wanted),
                (owned, wanted) => owned == wanted,
            }
        }) && !then.claims.iter().any(|claim| claim.thing == *wanted)
    })
}

/// The resources of a table `KIND.NAME = { … }`.
pub fn declared(table: &toml::Table) -> Vec<Declared> {
    let mut all = Vec::new();
    for (word, resources) in table {
        let kind = ALL.iter().find(|kind| kind.name() == word).unwrap_or_else(|| panic!("no kind {word}"));
        for (name, params) in resources.as_table().expect("KIND.NAME is a table") {
            let mut params = json(params);
            if let Value::Object(map) = &mut params {
                map.retain(|key, _| !COMMON.contains(&key.as_str()) || takes(*kind, key));
            }
            all.push(Declared { kind: *kind, name: name.clone(), params });
        }
    }
    all
}

fn takes(kind: &dyn Described, key: &str) -> bool {
    kind.fields().iter().any(|field| field.name == key)
}

/// TOML as JSON, with `sha256 of …` worked out.
pub fn json(value: &toml::Value) -> Value {
    let mut value = serde_json::to_value(value).expect("TOML without dates is JSON");
    digest(&mut value);
    value
}

fn digest(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(content) = text.strip_prefix("sha256 of ") {
                *text = Digest::of(content.as_bytes()).to_string();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(digest),
        Value::Object(map) => map.values_mut().for_each(digest),
        _ => {}
    }
}
