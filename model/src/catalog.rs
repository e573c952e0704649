//! The compiled graph: what a host is to be. Made by `dsl` alone, and then only read.

use crate::{Id, Origin, Secrets, holds_secret};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Nodes in an order in which they may run, and the edges between them. Same input, same bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Catalog {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// Positions of the nodes in the order of their ids.
    #[serde(skip_serializing)]
    by_id: Vec<usize>,
}

/// One resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// `kind.name`.
    pub id: Id,
    /// Where it was declared; several places where declarations merged. The first is the main one.
    pub origins: Vec<Origin>,
    /// The kind's own keys, with secrets and blobs as references.
    pub params: serde_json::Value,
    /// What every kind has.
    #[serde(default)]
    pub common: Common,
}

/// The keys common to all kinds which the host needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Common {
    /// Labels for `--only` and `--skip`.
    pub tags: BTreeSet<String>,
    /// Deadline for all steps of the node, in seconds.
    pub timeout: Option<u64>,
    /// What becomes of the thing when the resource leaves the catalog.
    pub on_removal: OnRemoval,
    /// What the agent of the host does about a thing that somebody else changed; as its host says where this is `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_drift: Option<OnDrift>,
}

/// What the agent of a host does about a difference that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDrift {
    /// It is reported, and left.
    Observe,
    /// It is repaired, and reported.
    Correct,
}

/// What becomes of a thing whose resource left the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRemoval {
    /// It stays, and is shown as an orphan.
    #[default]
    Keep,
    /// It is removed.
    Remove,
}

/// What an edge means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// `to` comes after `from`, and is skipped where `from` failed.
    Require,
    /// As `Require`; and where `from` changed, `to` is refreshed.
    Notify,
}

/// An edge, by positions in the nodes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// Comes first.
    pub from: usize,
    /// Comes after.
    pub to: usize,
    /// What it means.
    pub kind: EdgeKind,
    /// Why it is there: `file:line:col`, or `auto: path /etc/nginx`.
    pub because: String,
}

/// What makes a catalog invalid; from the compiler never, from a wire perhaps.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// Two nodes share an id.
    #[error("{0} stands twice in the catalog")]
    Duplicate(Id),
    /// An edge does not point from an earlier node to a later one.
    #[error("edge {0} -> {1} does not run forward")]
    Backward(usize, usize),
}

#[derive(Deserialize)]
struct Raw {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

impl TryFrom<Raw> for Catalog {
    type Error = CatalogError;

    fn try_from(raw: Raw) -> Result<Self, CatalogError> {
        Self::new(raw.nodes, raw.edges)
    }
}

impl Catalog {
    /// Checks that the nodes are unique and in an order in which every edge runs forward: a catalog has no cycle.
    pub fn new(nodes: Vec<Node>, mut edges: Vec<Edge>) -> Result<Self, CatalogError> {
        let by_id = by_id(&nodes);
        if let Some(pair) = by_id.windows(2).find(|pair| nodes[pair[0]].id == nodes[pair[1]].id) {
            return Err(CatalogError::Duplicate(nodes[pair[0]].id.clone()));
        }
        if let Some(edge) = edges.iter().find(|edge| edge.from >= edge.to || edge.to >= nodes.len()) {
            return Err(CatalogError::Backward(edge.from, edge.to));
        }
        edges.sort();
        edges.dedup_by(|next, kept| (next.from, next.to, next.kind) == (kept.from, kept.to, kept.kind));
        Ok(Self { nodes, edges, by_id })
    }

    /// The nodes, in an order in which they may run.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The edges, sorted.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The position of the node with this id.
    pub fn position(&self, id: &Id) -> Option<usize> {
        let found = self.by_id.binary_search_by(|at| self.nodes[*at].id.cmp(id));
        found.ok().map(|found| self.by_id[found])
    }

    /// The nodes in the order of their ids.
    pub fn by_id(&self) -> impl Iterator<Item = &Node> {
        self.places().map(|(_, node)| node)
    }

    /// The nodes in the order of their ids, each with its position.
    pub fn places(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.by_id.iter().map(|at| (*at, &self.nodes[*at]))
    }
}

fn by_id(nodes: &[Node]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by(|one, other| nodes[*one].id.cmp(&nodes[*other].id));
    order
}

impl Node {
    /// The params with secrets filled in: for decoding at once, never to be kept or written.
    ///
    /// Errors with the name of a secret that is missing.
    pub fn resolved(&self, secrets: &Secrets) -> Result<Cow<'_, serde_json::Value>, String> {
        if secrets.is_empty() || !holds_secret(&self.params) {
            return Ok(Cow::Borrowed(&self.params));
        }
        let mut params = self.params.clone();
        secrets.resolve(&mut params)?;
        Ok(Cow::Owned(params))
    }
}
