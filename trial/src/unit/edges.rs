//! What comes before what in a catalog, held against what a test expects.

use crate::unit::expect::{Edge, Sort};
use crate::unit::judge::missing;
use model::{Catalog, EdgeKind};

/// What is wrong with an expected edge; nothing where it is there.
pub fn fault(catalog: &Catalog, edge: &Edge) -> Option<String> {
    let (from, to) = match (catalog.position(&edge.from), catalog.position(&edge.to)) {
        (Some(from), Some(to)) => (from, to),
        (None, _) => return Some(missing(catalog, &edge.from)),
        (_, None) => return Some(missing(catalog, &edge.to)),
    };
    let direct = |kind: Option<EdgeKind>| {
        catalog
            .edges()
            .iter()
            .any(|one| (one.from, one.to) == (from, to) && kind.is_none_or(|kind| one.kind == kind))
    };
    match edge.sort {
        Sort::Before if comes_before(catalog, from, to) => None,
        Sort::Before if comes_before(catalog, to, from) => {
            Some(format!("it is the other way round: {} comes before {}", edge.to, edge.from))
        }
        Sort::Before => Some(format!("nothing makes {} come before {}", edge.from, edge.to)),
        Sort::Notifies if direct(Some(EdgeKind::Notify)) => None,
        Sort::Notifies if comes_before(catalog, from, to) => {
            Some(format!("{} comes before {}, but does not notify it", edge.from, edge.to))
        }
        Sort::Notifies => Some(format!("{} does not notify {}", edge.from, edge.to)),
    }
}

/// Whether edges lead from one to the other. They all run forward.
fn comes_before(catalog: &Catalog, from: usize, to: usize) -> bool {
    let mut reached = vec![false; catalog.nodes().len()];
    if let Some(first) = reached.get_mut(from) {
        *first = true;
    }
    // Sorted by their beginning: whatever leads to a node has been seen before what leads away from it.
    for edge in catalog.edges() {
        reached[edge.to] |= reached[edge.from];
    }
    from != to && reached[to]
}
