//! The catalogs of `tests/cases/faults`: what stands on a host, what was applied to it before, and what is desired of it now.

use crate::host::Start;
use agent::engine::Graph;
use model::{Catalog, Common, Edge, EdgeKind, Id, Node, OnRemoval, Presence, Secrets, Thing};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// One file of the corpus.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Name of the file.
    #[serde(skip)]
    pub name: String,
    /// What it is for.
    #[serde(rename = "about")]
    _about: String,
    /// False where something in it cannot be brought back, so that a rollback says so.
    #[serde(default = "yes")]
    pub reversible: bool,
    #[serde(default)]
    pub start: Start,
    /// Applied before, with no fault; what is not in `desired` is an orphan.
    #[serde(default)]
    before: toml::Table,
    desired: toml::Table,
}

fn yes() -> bool {
    true
}

impl Case {
    /// The whole corpus.
    pub fn all() -> Vec<Self> {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/faults");
        let entries = std::fs::read_dir(dir).expect("the corpus");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        paths.iter().map(Self::read).collect()
    }

    fn read(path: &PathBuf) -> Self {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).expect("UTF-8");
        let case: Self = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name, ..case }
    }

    /// What was applied before; `None` for nothing.
    pub fn before(&self) -> Option<Catalog> {
        (!self.before.is_empty()).then(|| catalog(&self.before))
    }

    /// What is desired.
    pub fn desired(&self) -> Catalog {
        catalog(&self.desired)
    }

    /// The kinds in it.
    pub fn kinds(&self) -> BTreeSet<String> {
        self.desired.keys().chain(self.before.keys()).cloned().collect()
    }
}

/// A resource, and those it names in `require`, `before` and `notify`.
struct Declared {
    node: Node,
    links: Vec<(EdgeKind, Id)>,
}

fn declared(kind: &str, name: &str, params: &toml::Value) -> Declared {
    let Ok(Value::Object(mut params)) = serde_json::to_value(params) else {
        panic!("{kind}.{name}: a table")
    };
    let mut links = Vec::new();
    for (key, edge) in [("require", EdgeKind::Require), ("notify", EdgeKind::Notify)] {
        links.extend(names(&mut params, key).into_iter().map(|id| (edge, id)));
    }
    let on_removal = match params.remove("on_removal") {
        Some(Value::String(word)) if word == "remove" => OnRemoval::Remove,
        _ => OnRemoval::default(),
    };
    let common = Common { on_removal, ..Common::default() };
    let node = Node { id: Id::new(kind, name), origins: Vec::new(), params: Value::Object(params), common };
    Declared { node, links }
}

fn names(params: &mut Map<String, Value>, key: &str) -> Vec<Id> {
    let Some(Value::Array(names)) = params.remove(key) else { return Vec::new() };
    names.iter().map(|name| Id::parse(name.as_str().expect("a name")).expect("kind.name")).collect()
}

/// The catalog of a table `KIND.NAME = { … }`, in an order in which all edges run forward.
fn catalog(table: &toml::Table) -> Catalog {
    let each = table.iter().flat_map(|(kind, all)| {
        let all = all.as_table().expect("KIND.NAME is a table");
        all.iter().map(move |(name, params)| declared(kind, name, params))
    });
    let all: Vec<Declared> = each.collect();
    let pairs = edges(&all);
    let order = sorted(all.len(), &pairs);
    let place: BTreeMap<usize, usize> = order.iter().enumerate().map(|(at, which)| (*which, at)).collect();
    let edge = |(from, to, kind): &(usize, usize, EdgeKind)| Edge {
        from: place[from],
        to: place[to],
        kind: *kind,
        because: "the corpus".to_owned(),
    };
    let nodes = order.iter().map(|at| all[*at].node.clone()).collect();
    Catalog::new(nodes, pairs.iter().map(edge).collect()).expect("a sound catalog")
}

fn edges(all: &[Declared]) -> Vec<(usize, usize, EdgeKind)> {
    let nodes = all.iter().map(|one| one.node.clone()).collect();
    let loose = Catalog::new(nodes, Vec::new()).expect("unique names");
    let graph = Graph::load(&loose, &Secrets::default(), agent::kinds::LIVE).expect("sound resources");
    let footprints: Vec<_> = graph.vertices().iter().map(|vertex| vertex.resource.footprint()).collect();
    let mut edges = Vec::new();
    for (to, one) in all.iter().enumerate() {
        for (kind, id) in &one.links {
            let other = all.iter().position(|it| it.node.id == *id);
            let other = other.unwrap_or_else(|| panic!("{} names {id}", one.node.id));
            edges.push(if *kind == EdgeKind::Notify { (to, other, *kind) } else { (other, to, *kind) });
        }
        for from in (0..all.len()).filter(|from| *from != to) {
            let claims = footprints[from].claims.iter().filter(|it| it.presence == Presence::Present);
            let mut brought = claims.map(|claim| &claim.thing);
            let owns = |thing: &Thing| footprints[to].claims.iter().any(|claim| claim.thing == *thing);
            let wants = footprints[to].wants.iter().filter(|thing| !owns(thing)).collect::<Vec<_>>();
            if brought.any(|owned| wants.iter().any(|wanted| brings(owned, wanted))) {
                edges.push((from, to, EdgeKind::Require));
            }
        }
    }
    edges
}

fn brings(owned: &Thing, wanted: &Thing) -> bool {
    match (owned, wanted) {
        (Thing::Path(owned) | Thing::Mount(owned), Thing::Path(wanted)) => wanted.starts_with(owned),
        _ => owned == wanted,
    }
}

fn sorted(count: usize, edges: &[(usize, usize, EdgeKind)]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    while order.len() < count {
        let free = |at: &usize| {
            !order.contains(at) && !edges.iter().any(|(from, to, _)| to == at && !order.contains(from))
        };
        order.push((0..count).find(free).expect("no cycle in the corpus"));
    }
    order
}
