//! Looks at every node at once, on all processors, and changes nothing.

use super::decide::decide;
use super::graph::Graph;
use crate::system::System;
use model::{Failure, Step};

/// Nodes below which a second thread costs more than it brings.
const WORTH_A_THREAD: usize = 64;

/// Most threads that look.
const MOST_THREADS: usize = 8;

/// What each node would need done, were nothing to change before it. In catalog order.
pub(super) fn observe(
    graph: &Graph<'_>,
    system: &dyn System,
) -> Result<Vec<Result<Vec<Step>, Failure>>, Failure> {
    system.prepare(&graph.things())?;
    let vertices = graph.vertices();
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = (vertices.len() / WORTH_A_THREAD).clamp(1, processors.min(MOST_THREADS));
    let look = |part: &[super::graph::Vertex<'_>]| -> Vec<Result<Vec<Step>, Failure>> {
        part.iter().map(|vertex| decide(vertex, system)).collect()
    };
    if threads == 1 {
        return Ok(look(vertices));
    }
    let parts: Vec<_> = vertices.chunks(vertices.len().div_ceil(threads)).collect();
    std::thread::scope(|scope| {
        let others: Vec<_> = parts[1..].iter().map(|part| scope.spawn(|| look(part))).collect();
        let mut all = look(parts[0]);
        for other in others {
            match other.join() {
                Ok(mut part) => all.append(&mut part),
                // A panic is a bug: it goes on to the top.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })
}
