//! Which contents a run can come to need: those of the nodes that are to change, and of all behind them, whose turn may come.
//! Of a node with many contents and nothing before it that changes, those are needed that the plan says it writes.

use model::{Catalog, Content, Digest, Node, Op, Plan, PlannedNode, Verdict};
use std::collections::BTreeMap;

/// Digests and sizes of the contents that a run of `plan` may write.
pub(super) fn by_plan(catalog: &Catalog, plan: &Plan) -> BTreeMap<Digest, u64> {
    let still = |verdict: &Verdict| matches!(verdict, Verdict::Unchanged | Verdict::LeftOut);
    let mut moves: Vec<bool> = plan.nodes.iter().map(|node| !still(&node.verdict)).collect();
    let mut behind = vec![false; moves.len()];
    // Edges run forward and are sorted by where they begin: one pass reaches everything behind a change.
    for edge in catalog.edges() {
        behind[edge.to] |= moves[edge.from];
        moves[edge.to] |= moves[edge.from];
    }
    let all = catalog.nodes().iter().zip(&plan.nodes).zip(moves.into_iter().zip(behind));
    let moving = all.filter(|(_, (moves, _))| *moves);
    moving.flat_map(|((node, planned), (_, behind))| of_node(node, (!behind).then_some(planned))).collect()
}

/// The contents of a node; `planned` where it does just that.
fn of_node(node: &Node, planned: Option<&PlannedNode>) -> BTreeMap<Digest, u64> {
    let all = Content::all_referred(&node.params);
    match planned.filter(|planned| all.len() > 1 && planned.verdict == Verdict::Change) {
        None => all,
        Some(planned) => planned.steps.iter().filter_map(|step| written(&step.op)).collect(),
    }
}

fn written(op: &Op) -> Option<(Digest, u64)> {
    match op {
        Op::WriteFile { content: Content::Stored(digest, size), .. } => Some((*digest, *size)),
        _ => None,
    }
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
            verdict: verdict(at),
            ..PlannedNode::unchanged(node.id.clone())
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
