//! Looks at many things of one resource on all processors: where a resource is a whole tree, other nodes keep nobody else busy.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Things below which a second thread costs more than it brings.
const WORTH_A_THREAD: usize = 64;
/// How many things a thread takes at a time.
const PIECE: usize = 64;

/// What `look` says of each of `things` of which it says anything, in their order.
///
/// # Errors
/// The first that `look` gives, in that order.
pub fn look_at_all<T: Sync, R: Send, E: Send>(
    things: &[T],
    look: impl Fn(&T) -> Result<Option<R>, E> + Sync,
) -> Result<Vec<R>, E> {
    let pieces: Vec<&[T]> = things.chunks(PIECE).collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = pieces.get(at) else { return };
            let said: Result<Vec<R>, E> = piece.iter().filter_map(|thing| look(thing).transpose()).collect();
            if !said.as_ref().is_ok_and(Vec::is_empty) {
                found.lock().unwrap_or_else(PoisonError::into_inner).push((at, said));
            }
        }
    };
    parallel::run(parallel::threads(things.len(), WORTH_A_THREAD), work);
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(at, _)| *at);
    let said: Result<Vec<Vec<R>>, E> = found.into_iter().map(|(_, said)| said).collect();
    Ok(said?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::look_at_all;

    #[test]
    fn what_is_said_comes_in_order_and_so_does_what_is_wrong() {
        let things: Vec<usize> = (0..5000).collect();
        let odd = |at: &usize| Ok::<_, usize>((at % 2 == 1).then_some(*at));
        assert_eq!(look_at_all(&things, odd), Ok((0..5000).filter(|at| at % 2 == 1).collect()));
        let wrong = |at: &usize| if *at > 700 { Err(*at) } else { Ok(Some(())) };
        assert_eq!(look_at_all(&things, wrong), Err(701));
    }
}
