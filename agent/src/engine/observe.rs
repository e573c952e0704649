//! Looks at all chosen nodes at once, on all processors, and changes nothing.

use super::decide::decide;
use super::graph::{Choice, Graph, Vertex};
use crate::system::{Still, System};
use model::{Failure, Step, Thing};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Nodes below which a second thread costs more than it brings.
const WORTH_A_THREAD: usize = 64;

/// How many nodes a thread takes at a time.
const PIECE: usize = 16;

/// What a node needs done, or why that cannot be told.
type Look = Result<Vec<Step>, Failure>;

/// What each node would need done, were nothing to change before it. In catalog order; nothing for those that are not chosen.
pub(super) fn observe(graph: &Graph<'_>, system: &dyn System, choice: &Choice) -> Result<Vec<Look>, Failure> {
    system.prepare(&graph.things(choice))?;
    let still = Still::new(system);
    let decide = |vertex: &Vertex<'_>| match choice.takes(vertex.node) {
        true => decide(vertex, &still),
        false => Ok(Vec::new()),
    };
    let vertices = graph.vertices();
    let turns = turns(vertices);
    let threads = threads(vertices.len(), turns.slow);
    if threads == 1 {
        return Ok(vertices.iter().map(decide).collect());
    }
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<(usize, Look)>> = Mutex::default();
    parallel::run(threads, || {
        let mut mine = Vec::new();
        while let Some(piece) = turns.piece(&next) {
            mine.extend(piece.iter().map(|at| (*at, decide(&vertices[*at]))));
        }
        found.lock().unwrap_or_else(PoisonError::into_inner).extend(mine);
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, look)| look).collect())
}

/// How many threads are worth it. Those that only wait for an answer hold nobody up.
fn threads(nodes: usize, slow: usize) -> usize {
    let least = if slow > 0 && nodes > slow { 2 } else { 1 };
    parallel::threads(nodes, WORTH_A_THREAD).max(least).min(parallel::processors())
}

/// Who is looked at when.
struct Turns {
    order: Vec<usize>,
    /// How many at the beginning are taken one by one.
    slow: usize,
}

/// What the host answers for all at once comes first, one node of each sort: meanwhile others look at files, and the
/// rest of that sort, which would wait for the same answer, comes last.
fn turns(vertices: &[Vertex<'_>]) -> Turns {
    let is_unit = |vertex: &Vertex<'_>| vertex.things.iter().any(|it| matches!(it, Thing::Unit(_)));
    let is_package = |vertex: &Vertex<'_>| vertex.things.iter().any(|it| matches!(it, Thing::Package(_)));
    let all = || 0..vertices.len();
    let (units, rest): (Vec<usize>, Vec<usize>) = all().partition(|at| is_unit(&vertices[*at]));
    let (packages, files): (Vec<usize>, Vec<usize>) =
        rest.into_iter().partition(|at| is_package(&vertices[*at]));
    let first = units.first().into_iter().chain(packages.first());
    let last = packages.iter().skip(1).chain(units.iter().skip(1));
    let slow = first.clone().count();
    Turns { order: first.chain(&files).chain(last).copied().collect(), slow }
}

impl Turns {
    /// What is looked at next; `None` where all have their turn.
    fn piece(&self, next: &AtomicUsize) -> Option<&[usize]> {
        let begin = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |at| Some(self.end(at))).ok()?;
        (begin < self.order.len()).then(|| &self.order[begin..self.end(begin)])
    }

    fn end(&self, begin: usize) -> usize {
        let length = if begin < self.slow { 1 } else { PIECE };
        (begin + length).min(self.order.len())
    }
}
