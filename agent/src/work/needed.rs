//! Which contents a run can come to need: those of the nodes that are to change, and of all behind them, whose turn may come.

use model::{Catalog, Content, Digest, Plan, Verdict};
use std::collections::BTreeMap;

/// Digests and sizes of the contents that a run of `plan` may write.
pub(super) fn by_plan(catalog: &Catalog, plan: &Plan) -> BTreeMap<Digest, u64> {
    let still = |verdict: &Verdict| matches!(verdict, Verdict::Unchanged | Verdict::LeftOut);
    let mut moves: Vec<bool> = plan.nodes.iter().map(|node| !still(&node.verdict)).collect();
    // Edges run forward and are sorted by where they begin: one pass reaches everything behind a change.
    for edge in catalog.edges() {
        moves[edge.to] |= moves[edge.from];
    }
    let moving = catalog.nodes().iter().zip(moves).filter(|(_, moves)| *moves);
    moving.flat_map(|(node, _)| Content::all_referred(&node.params)).collect()
}

#[cfg(test)]
mod tests {
    use super::by_plan;
    use model::{Catalog, Common, Content, Digest, Edge, EdgeKind, Id, Node, Plan, PlannedNode, Verdict};

    fn digest(at: usize) -> Digest {
        Digest::of(at.to_string().as_bytes())
    }

    /// Nodes with a content each, with edges `from -> to`.
    fn catalog(count: usize, edges: &[(usize, usize)]) -> Catalog {
        let node = |at: usize| Node {
            id: Id::new("file", format!("/{at}")),
            origins: Vec::new(),
            params: serde_json::json!({ "content": Content::reference(digest(at), at as u64) }),
            common: Common::default(),
        };
        let edge = |(from, to): &(usize, usize)| Edge {
            from: *from,
            to: *to,
            kind: EdgeKind::Require,
            because: String::new(),
        };
        Catalog::new((0..count).map(node).collect(), edges.iter().map(edge).collect()).unwrap()
    }

    fn plan(catalog: &Catalog, changing: &[usize]) -> Plan {
        let verdict = |at| if changing.contains(&at) { Verdict::Change } else { Verdict::Unchanged };
        let nodes = catalog.nodes().iter().enumerate().map(|(at, node)| PlannedNode {
            id: node.id.clone(),
            origin: None,
            verdict: verdict(at),
            steps: Vec::new(),
            refresh: Vec::new(),
            texts: Vec::new(),
        });
        Plan { nodes: nodes.collect(), ..Plan::default() }
    }

    #[test]
    fn what_changes_and_what_lies_behind_it_is_needed() {
        let catalog = catalog(6, &[(1, 3), (3, 5), (2, 4)]);
        for (changing, needed) in [(&[][..], &[][..]), (&[1], &[1, 3, 5]), (&[3, 4], &[3, 4, 5])] {
            let found = by_plan(&catalog, &plan(&catalog, changing));
            let mut wanted: Vec<(Digest, u64)> = needed.iter().map(|at| (digest(*at), *at as u64)).collect();
            wanted.sort();
            assert_eq!(found.into_iter().collect::<Vec<_>>(), wanted);
        }
    }
}
