//! Explains cycles: the shortest loop of each knot, why each of its links is there, and which may be turned off.

use crate::draft::Draft;
use crate::findings::Findings;
use crate::links::{Because, Link};
use model::{Diagnostic, Span};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeMap, VecDeque};

/// From so many nodes of a knot the shortest loop is looked for: enough for any real one.
const STARTS: usize = 256;

/// Tells the shortest loop of each knot.
pub fn explain(drafts: &[Draft<'_>], links: &[Link], findings: &mut Findings) {
    let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(drafts.len(), links.len());
    for _ in drafts {
        graph.add_node(());
    }
    for link in links {
        graph.add_edge(NodeIndex::new(link.from), NodeIndex::new(link.to), ());
    }
    for knot in kosaraju_scc(&graph) {
        let mut knot: Vec<usize> = knot.into_iter().map(NodeIndex::index).collect();
        knot.sort_unstable();
        if knot.len() > 1
            && let Some(found) = shortest_loop(&knot, links)
        {
            findings.push(diagnostic(drafts, &found));
        }
    }
}

/// The links of the shortest loop within a knot, in order.
fn shortest_loop<'a>(knot: &[usize], links: &'a [Link]) -> Option<Vec<&'a Link>> {
    let inside = |at: usize| knot.binary_search(&at).is_ok();
    let mut after: BTreeMap<usize, Vec<&Link>> = BTreeMap::new();
    for link in links.iter().filter(|link| inside(link.from) && inside(link.to)) {
        after.entry(link.from).or_default().push(link);
    }
    let loops = knot.iter().take(STARTS).filter_map(|start| loop_through(*start, &after));
    loops.min_by_key(Vec::len)
}

/// Breadth first from a node back to itself.
fn loop_through<'a>(start: usize, after: &BTreeMap<usize, Vec<&'a Link>>) -> Option<Vec<&'a Link>> {
    let mut came: BTreeMap<usize, &'a Link> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for link in after.get(&at).into_iter().flatten() {
            if came.contains_key(&link.to) {
                continue;
            }
            came.insert(link.to, link);
            if link.to == start {
                return Some(walk_back(start, &came));
            }
            queue.push_back(link.to);
        }
    }
    None
}

fn walk_back<'a>(start: usize, came: &BTreeMap<usize, &'a Link>) -> Vec<&'a Link> {
    let mut path = Vec::new();
    let mut at = start;
    while let Some(link) = came.get(&at) {
        path.push(*link);
        at = link.from;
        if at == start {
            break;
        }
    }
    path.reverse();
    path
}

fn diagnostic(drafts: &[Draft<'_>], found: &[&Link]) -> Diagnostic {
    let name = |at: usize| drafts.get(at).map(|draft| draft.id.to_string()).unwrap_or_default();
    let mut ids: Vec<String> = found.iter().map(|link| name(link.from)).collect();
    ids.extend(ids.first().cloned());
    let message = format!("resources wait for each other: {}", ids.join(" -> "));
    let mut labels = found.iter().map(|link| {
        let text = format!("{} before {}{}", name(link.from), name(link.to), why(link));
        (place(drafts, link), text)
    });
    let (span, text) = labels.next().unwrap_or_else(|| (crate::findings::whole_file(""), String::new()));
    let diagnostic = Diagnostic::error("cycle", message, span).at(text);
    let diagnostic = labels.fold(diagnostic, |diagnostic, (span, text)| diagnostic.and(span, text));
    let auto = found.iter().find(|link| matches!(link.because, Because::Auto(_)));
    diagnostic.help(match auto {
        Some(link) => {
            format!("leave out one of these references, or write `auto = false` in {}", name(link.owner))
        }
        None => "leave out one of these references".to_owned(),
    })
}

fn place(drafts: &[Draft<'_>], link: &Link) -> Span {
    match &link.because {
        Because::Said(place) => place.span(),
        Because::Auto(_) => {
            drafts.get(link.owner).map_or_else(|| crate::findings::whole_file(""), |draft| draft.span())
        }
    }
}

fn why(link: &Link) -> String {
    match &link.because {
        Because::Said(_) => String::new(),
        Because::Auto(thing) => format!(" (automatic: {thing})"),
    }
}

#[cfg(test)]
mod tests {
    use super::shortest_loop;
    use crate::links::{Because, Link};
    use model::{EdgeKind, Thing};

    #[test]
    fn the_shortest_of_two_loops_is_found() {
        let because = || Because::Auto(Thing::User("x".into()));
        let pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (2, 1)];
        let links =
            pairs.map(|(from, to)| Link { from, to, kind: EdgeKind::Require, because: because(), owner: to });
        let found = shortest_loop(&[0, 1, 2, 3], &links).expect("a loop");
        let steps: Vec<_> = found.iter().map(|link| (link.from, link.to)).collect();
        assert_eq!(steps, [(1, 2), (2, 1)]);
    }
}
