//! A run that is undone unless it is confirmed: over a connection of its own, again and again within the window, and what is told where that fails.

use crate::host::in_words;
use crate::told::Told;
use crate::world::{Asked, Cut, Fate, World, apply, events, wanted};
use fleet::End;
use model::{EventBody, Failure};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use wire::Ending;

fn armed(window: u64) -> World {
    World::new(vec![EventBody::Armed { run: "7".to_owned(), window, because: vec!["sshd".to_owned()] }])
}

fn refused() -> Ending {
    Ending::Refused(Failure::refused("not now", "wait"))
}

/// What it ends with, and what it was asked after the work.
fn pushed(world: World, told: &Told) -> (End, Vec<Asked>) {
    let world = Arc::new(world);
    let end = world.push(told);
    let asked = world.asked();
    assert_eq!(asked[0], Asked::Work);
    (end, asked[1..].to_vec())
}

#[test]
fn a_run_that_waits_is_confirmed_over_a_connection_of_its_own() {
    for ending in [Ending::Changed, Ending::Failed] {
        let world = Arc::new(World { ending: ending.clone(), ..armed(60) });
        assert_eq!(world.push(&apply()), End::Ended(ending));
        assert_eq!(world.asked(), [Asked::Work, Asked::Confirm(7)]);
        let endpoints = world.endpoints.lock().unwrap();
        let unshared = |n: usize| endpoints[n].openssh_options.iter().any(|one| one == "ControlPath=none");
        assert_eq!((endpoints.len(), unshared(0), unshared(1)), (2, false, true));
    }
}

#[test]
fn nobody_confirms_what_does_not_wait() {
    let (end, asked) = pushed(World::new(Vec::new()), &apply());
    assert_eq!((end, asked), (End::Ended(Ending::Changed), vec![]));
    let (end, asked) = pushed(World { ending: Ending::Reverted, ..armed(60) }, &apply());
    assert_eq!((end, asked), (End::Ended(Ending::Reverted), vec![]));
}

#[test]
fn it_is_tried_again_while_the_host_is_out_of_reach() {
    let refused = std::iter::repeat_n(Fate::Refused, 5);
    let fates = [Fate::Lasts].into_iter().chain(refused).chain([Fate::Lasts]).collect();
    let told = apply();
    let (end, asked) = pushed(World { fates, ..armed(60) }, &told);
    assert_eq!((end, asked), (End::Ended(Ending::Changed), vec![Asked::Confirm(7)]));
    let notes = told.all("note run 7 cannot be confirmed over a fresh connection (h1:22 refused");
    assert_eq!(notes.len(), 1, "{:?}", told.lines());
}

#[test]
fn who_lost_the_connection_confirms_too() {
    let fates = vec![Fate::Cut(400, Cut::Reset), Fate::Lasts];
    let (told, world) = (apply(), armed(60));
    let log = wanted(&world.log);
    let (end, asked) = pushed(World { fates, ..world }, &told);
    assert_eq!(end, End::Ended(Ending::Changed));
    assert!(matches!(asked[..], [Asked::Attach(Some(7), _), Asked::Confirm(7)]), "{asked:?}");
    assert_eq!(events(&told), log);
}

#[test]
fn a_host_that_has_undone_it_says_so_and_that_is_the_end() {
    let answers = vec![Ending::Reverted];
    let (end, asked) = pushed(World { answers, ..armed(60) }, &apply());
    assert_eq!((end, asked), (End::Ended(Ending::Reverted), vec![Asked::Confirm(7)]));
}

#[test]
fn where_it_is_not_taken_the_events_of_the_run_are_looked_at() {
    let (answers, told) = (vec![refused(), Ending::Unchanged], apply());
    let (end, asked) = pushed(World { answers, ..armed(60) }, &told);
    assert_eq!(end, End::Ended(Ending::Changed));
    assert_eq!(asked, [Asked::Confirm(7), Asked::Attach(Some(7), 6), Asked::Confirm(7)]);
}

#[test]
fn a_host_that_does_not_come_back_is_not_said_to_be_fine() {
    let mut world = World { fates: vec![Fate::Lasts, Fate::Refused], ..armed(0) };
    world.patience.margin = Duration::from_millis(200);
    let (end, _) = pushed(world, &apply());
    assert_eq!(
        in_words(&end),
        "run 7 could not be confirmed (h1:22 refused the connection: no sshd listens on that port, or a firewall rejects it), \
         and the host undoes it by itself: `keel attach 7 h1` tells whether it has"
    );
}

#[test]
fn a_run_that_was_stopped_is_not_confirmed_and_that_is_said() {
    let mut world =
        World { ending: Ending::Failed, fates: vec![Fate::Cut(usize::MAX, Cut::Silence)], ..armed(60) };
    world.holds = true;
    let (world, told) = (Arc::new(world), apply());
    let stop = std::sync::atomic::AtomicBool::new(false);
    let end = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !told.has("event {\"event\":\"armed\"") {
                std::thread::sleep(Duration::from_millis(5));
            }
            stop.store(true, Ordering::SeqCst);
        });
        world.push_until(&told, &stop)
    });
    assert_eq!((end, world.asked()), (End::Ended(Ending::Failed), vec![Asked::Work]));
    assert!(
        told.has("note run 7 was stopped, and is not confirmed: the host undoes it within 60 s"),
        "{:?}",
        told.lines()
    );
}
