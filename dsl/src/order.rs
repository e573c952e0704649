//! Drafts and links to a catalog: an order in which every link runs forward, the declared order among equals.

use crate::cycle;
use crate::draft::{Declaration, Draft};
use crate::findings::Findings;
use crate::links::{Because, Link};
use model::{Catalog, Edge, EdgeKind, Node, Secrets};
use serde_json::Value as Json;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Makes the catalog; `None` and told where there is a cycle.
pub fn catalog(
    drafts: Vec<Draft<'_>>,
    links: &[Link],
    findings: &mut Findings,
) -> Option<(Catalog, Secrets)> {
    let Some(order) = sort(drafts.len(), links) else {
        cycle::explain(&drafts, links, findings);
        return None;
    };
    let mut position = vec![0; drafts.len()];
    for (at, draft) in order.iter().enumerate() {
        if let Some(slot) = position.get_mut(*draft) {
            *slot = at;
        }
    }
    let mut secrets = Secrets::default();
    let mut nodes: Vec<(usize, Node)> = Vec::with_capacity(drafts.len());
    for (draft, at) in drafts.into_iter().zip(&position) {
        nodes.push((*at, node(draft, &mut secrets)));
    }
    nodes.sort_by_key(|(at, _)| *at);
    let nodes = nodes.into_iter().map(|(_, node)| node).collect();
    let catalog =
        Catalog::new(nodes, edges(links, &position)).expect("ids are unique and links run forward by now");
    Some((catalog, secrets))
}

fn node(draft: Draft<'_>, secrets: &mut Secrets) -> Node {
    let origin = |one: &Declaration<'_>| one.source.origin(one.resource.at);
    let origins = draft.declarations.iter().map(origin).collect();
    for (name, bytes) in draft.hidden {
        secrets.keep(name, bytes);
    }
    Node { id: draft.id, origins, params: Json::Object(draft.params), common: draft.common }
}

/// One edge for each pair: a notification implies the order, and what is said goes before what was found.
fn edges(links: &[Link], position: &[usize]) -> Vec<Edge> {
    let mut best: BTreeMap<(usize, usize), &Link> = BTreeMap::new();
    let rank = |link: &Link| (link.kind == EdgeKind::Notify, matches!(link.because, Because::Said(_)));
    for link in links {
        let place = best.entry((link.from, link.to)).or_insert(link);
        if rank(link) > rank(place) {
            *place = link;
        }
    }
    let at = |draft: usize| position.get(draft).copied().unwrap_or(0);
    let edge =
        |link: &Link| Edge { from: at(link.from), to: at(link.to), kind: link.kind, because: because(link) };
    best.into_values().map(edge).collect()
}

fn because(link: &Link) -> String {
    match &link.because {
        Because::Said(place) => place.origin().to_string(),
        Because::Auto(thing) => format!("auto: {thing}"),
    }
}

/// Kahn's algorithm, the first declared of the ready ones first; `None` where there is a cycle.
fn sort(count: usize, links: &[Link]) -> Option<Vec<usize>> {
    let mut waits = vec![0usize; count];
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); count];
    for link in links {
        waits[link.to] += 1;
        after[link.from].push(link.to);
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        waits.iter().enumerate().filter(|(_, waits)| **waits == 0).map(|(at, _)| Reverse(at)).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(at)) = ready.pop() {
        order.push(at);
        for next in &after[at] {
            waits[*next] -= 1;
            if waits[*next] == 0 {
                ready.push(Reverse(*next));
            }
        }
    }
    (order.len() == count).then_some(order)
}

#[cfg(test)]
mod tests {
    use super::sort;
    use crate::links::{Because, Link};
    use model::{EdgeKind, Thing};

    fn links(pairs: &[(usize, usize)]) -> Vec<Link> {
        let because = || Because::Auto(Thing::User("x".into()));
        let link = |(from, to): &(usize, usize)| Link {
            from: *from,
            to: *to,
            kind: EdgeKind::Require,
            because: because(),
            owner: *to,
        };
        pairs.iter().map(link).collect()
    }

    #[test]
    fn the_declared_order_stands_where_no_link_says_otherwise() {
        assert_eq!(sort(4, &links(&[])), Some(vec![0, 1, 2, 3]));
        assert_eq!(sort(4, &links(&[(3, 0), (3, 0)])), Some(vec![1, 2, 3, 0]));
        assert_eq!(sort(3, &links(&[(0, 1), (1, 0)])), None);
    }
}
