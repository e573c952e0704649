//! A catalog with its resources decoded and its edges at hand.

use super::groups::Groups;
use super::locks::Locks;
use crate::kind::{Class, Registered, Resource};
use crate::undo::Secrecy;
use model::{Catalog, EdgeKind, Failure, Gather, Id, Node, Secrets, Thing, holds_secret};
use std::collections::BTreeSet;

/// The decoded catalog. Positions are those of the catalog: every link runs forward.
pub struct Graph<'a> {
    vertices: Vec<Vertex<'a>>,
    groups: Groups,
}

/// One node with its resource.
pub struct Vertex<'a> {
    /// The node.
    pub node: &'a Node,
    /// What it decoded to.
    pub resource: Box<dyn Resource>,
    /// What may run at the same time.
    pub class: Class,
    /// What it owns that is no path.
    pub things: Vec<Thing>,
    /// Whether what it touches is secret.
    pub secrecy: Secrecy,
    /// Edges that come in; `at` is the node before.
    pub before: Vec<Link>,
    /// Edges that go out; `at` is the node after.
    pub after: Vec<Link>,
}

/// One end of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Position of the node at the other end.
    pub at: usize,
    /// What the edge means.
    pub kind: EdgeKind,
}

/// Which nodes are to be worked on.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Only those with one of these tags; all where it is empty.
    pub only: BTreeSet<String>,
    /// Not those with one of these tags.
    pub skip: BTreeSet<String>,
    /// Not those that somebody has locked, where they would change.
    pub locks: Locks,
    /// Of all these a part, by name.
    pub part: Part,
}

/// Nodes by their names.
#[derive(Clone, Debug, Default)]
pub enum Part {
    /// All of them.
    #[default]
    All,
    /// These alone; what left the catalog is none of them.
    Only(BTreeSet<Id>),
    /// All but these; what left the catalog may be among them, and stays.
    Except(BTreeSet<Id>),
}

impl Part {
    /// True where the node is one of them.
    pub fn has(&self, id: &Id) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(id),
            Self::Except(ids) => !ids.contains(id),
        }
    }

    /// True where it is about some nodes of the catalog, and about nothing else of the host.
    pub fn is_narrow(&self) -> bool {
        matches!(self, Self::Only(_))
    }
}

impl Choice {
    /// True where the node is to be worked on.
    pub fn takes(&self, node: &Node) -> bool {
        let tags = &node.common.tags;
        (self.only.is_empty() || !self.only.is_disjoint(tags))
            && self.skip.is_disjoint(tags)
            && self.part.has(&node.id)
    }
}

impl<'a> Graph<'a> {
    /// Decodes every node. An error names the node: a catalog from our own compiler never gives one.
    pub fn load(catalog: &'a Catalog, secrets: &Secrets, kinds: &[&dyn Registered]) -> Result<Self, Failure> {
        let mut vertices = Vec::with_capacity(catalog.nodes().len());
        for node in catalog.nodes() {
            let refuse =
                |why: String| Failure::refused(format!("{}: {why}", node.id), "compile the catalog again");
            let kind = kinds.iter().find(|kind| kind.word() == node.id.kind());
            let kind = kind.ok_or_else(|| refuse("this agent does not know the kind".to_owned()))?;
            let params =
                node.resolved(secrets).map_err(|name| refuse(format!("secret {name} is missing")))?;
            let resource = kind.decode(node.id.name(), &params).map_err(|problems| {
                refuse(problems.first().map_or(String::new(), |problem| problem.message.clone()))
            })?;
            let secrecy = secrecy(&node.params);
            let claims = resource.owns().into_iter().map(|claim| claim.thing);
            vertices.push(Vertex {
                secrecy,
                node,
                things: claims.filter(|thing| !matches!(thing, Thing::Path(_))).collect(),
                class: resource.class(),
                resource,
                before: Vec::new(),
                after: Vec::new(),
            });
        }
        for edge in catalog.edges() {
            vertices[edge.from].after.push(Link { at: edge.to, kind: edge.kind });
            vertices[edge.to].before.push(Link { at: edge.from, kind: edge.kind });
        }
        let groups = Groups::of(&vertices);
        Ok(Self { vertices, groups })
    }

    /// Which nodes are put in place together.
    pub(super) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The nodes, in catalog order.
    pub fn vertices(&self) -> &[Vertex<'a>] {
        &self.vertices
    }

    /// What the chosen nodes will ask the host for, sorted.
    pub fn things(&self, choice: &Choice) -> Vec<Thing> {
        let chosen = self.vertices.iter().filter(|vertex| choice.takes(vertex.node));
        let things: BTreeSet<&Thing> = chosen.flat_map(|vertex| &vertex.things).gather();
        things.into_iter().cloned().collect()
    }
}

/// A resource that says it is sensitive, or holds a secret anywhere, touches what nobody may see.
fn secrecy(params: &serde_json::Value) -> Secrecy {
    let is_sensitive = params.get("sensitive") == Some(&serde_json::Value::Bool(true));
    if is_sensitive || holds_secret(params) { Secrecy::Secret } else { Secrecy::Open }
}
