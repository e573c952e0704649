//! Which nodes make one configuration: those that directly notify a service that has its configuration checked. They are ready
//! together, and are put in place together. Pure, from the graph alone; `together` does the work, `run` waits for them.
//!
//! Where the graph wants something else between two of them, the second belongs to a later group; where two groups would wait for
//! each other, the nodes of one are taken one by one, each with the check.

use super::graph::Vertex;
use model::{Check, EdgeKind};
use std::collections::{BTreeMap, BTreeSet};

/// All groups of a graph.
#[derive(Default)]
pub(super) struct Groups {
    all: Vec<Group>,
    /// The group of each node that is in one.
    of: BTreeMap<usize, usize>,
    /// The groups that wait for a node.
    waiting: BTreeMap<usize, Vec<usize>>,
}

/// Nodes that are put in place together.
pub(super) struct Group {
    /// In catalog order.
    pub(super) members: Vec<usize>,
    /// What has to pass before.
    pub(super) checks: Vec<Check>,
    /// The nodes that have to end before any of it may begin.
    pub(super) waits: BTreeSet<usize>,
}

/// Services that share a member, and all members of theirs.
type Family = (BTreeSet<usize>, BTreeSet<usize>);

impl Groups {
    pub(super) fn of(vertices: &[Vertex<'_>]) -> Self {
        let mut groups = Self::default();
        for (services, members) in families(vertices) {
            for members in rounds(vertices, &members) {
                groups.add(vertices, &services, members);
            }
        }
        for (number, group) in groups.all.iter().enumerate() {
            for at in &group.waits {
                groups.waiting.entry(*at).or_default().push(number);
            }
        }
        groups
    }

    /// The number of the group that a node is in.
    pub(super) fn number_of(&self, at: usize) -> Option<usize> {
        self.of.get(&at).copied()
    }

    /// The group that a node is in.
    pub(super) fn group_of(&self, at: usize) -> Option<&Group> {
        self.all.get(self.number_of(at)?)
    }

    /// All groups.
    pub(super) fn all(&self) -> &[Group] {
        &self.all
    }

    /// The groups that wait for the node.
    pub(super) fn waiting_for(&self, at: usize) -> &[usize] {
        self.waiting.get(&at).map_or(&[], Vec::as_slice)
    }

    /// Adds a group, or a group for each member where it would have to wait for itself.
    fn add(&mut self, vertices: &[Vertex<'_>], services: &BTreeSet<usize>, members: Vec<usize>) {
        let checks = |members: &[usize]| -> Vec<Check> {
            let notified = |service: &&usize| members.iter().any(|at| notifies(&vertices[*at], **service));
            let notified = services.iter().filter(notified);
            notified.filter_map(|service| vertices[*service].resource.config_check()).collect()
        };
        let before = |members: &[usize]| -> BTreeSet<usize> {
            let links = members.iter().flat_map(|at| &vertices[*at].before).map(|link| link.at);
            links.filter(|at| !members.contains(at)).collect()
        };
        let mut waits = before(&members);
        waits.extend(needed_by_check(vertices, services, &members));
        self.push(Group { checks: checks(&members), waits, members: members.clone() });
        if is_orderly(vertices, self) {
            return;
        }
        if let Some(group) = self.all.pop() {
            self.of.retain(|at, _| !group.members.contains(at));
        }
        for at in members {
            let one = vec![at];
            self.push(Group { checks: checks(&one), waits: before(&one), members: one });
        }
    }

    fn push(&mut self, group: Group) {
        let number = self.all.len();
        self.of.extend(group.members.iter().map(|at| (*at, number)));
        self.all.push(group);
    }
}

fn notifies(vertex: &Vertex<'_>, service: usize) -> bool {
    vertex.after.iter().any(|link| link.at == service && link.kind == EdgeKind::Notify)
}

fn families(vertices: &[Vertex<'_>]) -> Vec<Family> {
    let is_checked = |at: &usize| vertices[*at].resource.config_check().is_some();
    let checked: BTreeSet<usize> = (0..vertices.len()).filter(is_checked).collect();
    let mut families: Vec<Family> = Vec::new();
    for (at, vertex) in vertices.iter().enumerate().filter(|(_, vertex)| vertex.resource.is_config()) {
        let services: BTreeSet<usize> =
            checked.iter().copied().filter(|service| notifies(vertex, *service)).collect();
        if services.is_empty() {
            continue;
        }
        let (mut all, mut members) = (services, BTreeSet::from([at]));
        families.retain(|(others, theirs)| {
            let is_apart = others.is_disjoint(&all);
            if !is_apart {
                all.extend(others);
                members.extend(theirs);
            }
            is_apart
        });
        families.push((all, members));
    }
    families
}

/// Splits the members where a node that is none of them stands between two: the second comes in the next round.
fn rounds(vertices: &[Vertex<'_>], members: &BTreeSet<usize>) -> Vec<Vec<usize>> {
    // The round in which a member is; of any other node, the first in which what comes after it can be.
    let mut round = vec![0; vertices.len()];
    let mut rounds: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, vertex) in vertices.iter().enumerate() {
        let is_member = members.contains(&at);
        let leaves = |other: usize| usize::from(members.contains(&other) && !is_member);
        round[at] = vertex.before.iter().map(|link| round[link.at] + leaves(link.at)).max().unwrap_or(0);
        if is_member {
            rounds.entry(round[at]).or_default().push(at);
        }
    }
    rounds.into_values().collect()
}

/// What a service needs besides, such as its package: without it its check could not run. Nothing that comes after a member.
fn needed_by_check(
    vertices: &[Vertex<'_>],
    services: &BTreeSet<usize>,
    members: &[usize],
) -> BTreeSet<usize> {
    let mut behind: BTreeSet<usize> = members.iter().copied().collect();
    for (at, vertex) in vertices.iter().enumerate() {
        if vertex.before.iter().any(|link| behind.contains(&link.at)) {
            behind.insert(at);
        }
    }
    let before = services.iter().flat_map(|service| &vertices[*service].before).map(|link| link.at);
    before.filter(|at| !behind.contains(at)).collect()
}

/// True where all nodes come to their turn: each begins when those before it have ended, and a group when all have that it waits for.
fn is_orderly(vertices: &[Vertex<'_>], groups: &Groups) -> bool {
    let mut ended = vec![false; vertices.len()];
    loop {
        let came_before = ended.iter().filter(|ended| **ended).count();
        for (at, vertex) in vertices.iter().enumerate() {
            ended[at] |= match groups.group_of(at) {
                Some(group) => group.waits.iter().all(|before| ended[*before]),
                None => vertex.before.iter().all(|link| ended[link.at]),
            };
        }
        let came = ended.iter().filter(|ended| **ended).count();
        if came == vertices.len() || came == came_before {
            return came == vertices.len();
        }
    }
}
