//! Runs that an earlier call has lost sight of: kept until their end was seen, and attached to before anything new is asked.

use crate::host::endpoint;
use crate::told::Told;
use crate::world::{Asked, Cut, Fate, World, apply, events, wanted};
use fleet::{End, Resume, Runs};
use std::path::Path;
use std::sync::Arc;
use wire::{Ending, Order};

fn runs(dir: &Path) -> Runs {
    Runs::new(&dir.join("evenkeel"))
}

fn keeping(dir: &Path, told: Told) -> Told {
    Told { runs: Some(runs(dir)), resume: Resume::First, ..told }
}

/// A push to a world whose connection is cut after so many bytes, for good.
fn lose(dir: &Path, point: usize) -> Told {
    let (told, fates) = (keeping(dir, apply()), vec![Fate::Cut(point, Cut::Reset), Fate::Refused]);
    let mut world = World { fates, ..World::new(Vec::new()) };
    world.patience.back = std::time::Duration::from_millis(50);
    assert!(matches!(Arc::new(world).push(&told), End::Trouble(_)));
    told
}

#[test]
fn what_was_lost_is_heard_to_its_end_by_the_next_call_from_where_it_was_left() {
    let length = World::new(Vec::new()).length();
    for point in (0..length).step_by(length / 6).chain([length]) {
        let dir = tempfile::tempdir().unwrap();
        let first = lose(dir.path(), point);
        let lost = runs(dir.path()).lost(&endpoint("ada")).unwrap().unwrap();
        assert_eq!((lost.host(), lost.command()), ("h1", "apply h1"));
        assert_eq!(lost.next() as usize, events(&first).len());
        let (second, world) = (keeping(dir.path(), apply()), Arc::new(World::new(Vec::new())));
        assert_eq!(world.push(&second), End::Ended(Ending::Changed));
        let told = [events(&first), events(&second)].concat();
        // The new order is given afterwards, and told from its beginning.
        assert_eq!(told[..world.log.len()], wanted(&world.log), "{point}");
        assert!(matches!(world.asked()[..], [Asked::Attach(..), Asked::Work]), "{:?}", world.asked());
        assert_eq!(runs(dir.path()).all_lost(), (vec![], vec![]));
    }
}

#[test]
fn nothing_is_kept_of_a_run_whose_end_was_seen_or_that_never_began() {
    let dir = tempfile::tempdir().unwrap();
    for told in [
        apply(),
        Told { answer: Some(false), ..apply() },
        Told { order: Ok(Order::Facts), ..Told::default() },
    ] {
        let mut world = World::new(Vec::new());
        world.patience.silence = std::time::Duration::from_millis(100);
        Arc::new(world).push(&keeping(dir.path(), told));
        assert_eq!(runs(dir.path()).all_lost(), (vec![], vec![]));
    }
}

#[test]
fn where_nothing_can_be_kept_the_work_goes_on_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("evenkeel"), "no directory").unwrap();
    let (told, world) = (keeping(dir.path(), apply()), Arc::new(World::new(Vec::new())));
    assert_eq!(world.push(&told), End::Ended(Ending::Changed));
    assert!(told.has("note ") && told.lines().join(" ").contains("a later call will not know of this run"));
}
