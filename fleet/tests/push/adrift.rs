//! A connection that breaks after the yes: the run is found again and heard to its end, each event once, or it is said where it is.

use crate::host::in_words;
use crate::told::Told;
use crate::world::{Asked, Cut, Fate, World, apply, events, note, wanted};
use fleet::{End, Trouble};
use model::EventBody;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use wire::{Ending, Order};

const CUTS: [Cut; 3] = [Cut::Reset, Cut::End, Cut::Silence];

/// Everything is told once, in order, whatever becomes of the connections.
fn assert_whole(world: World, told: &Told) -> Arc<World> {
    let world = Arc::new(world);
    let fates = format!("{:?}", world.fates);
    assert_eq!(world.push(told), End::Ended(Ending::Changed), "{fates} {:?}", told.lines());
    assert_eq!(events(told), wanted(&world.log), "{fates}");
    world
}

#[test]
fn a_run_is_heard_to_its_end_wherever_its_connection_is_cut() {
    let length = World::new(Vec::new()).length();
    let points = (0..length).step_by(length / 24).chain([length - 1, length]);
    for (point, cut) in points.flat_map(|point| CUTS.map(|cut| (point, cut))) {
        let fates = vec![Fate::Cut(point, cut), Fate::Refused, Fate::Lasts];
        assert_whole(World { fates, ..World::new(Vec::new()) }, &apply());
    }
}

#[test]
fn it_is_found_again_as_often_as_it_is_lost() {
    let more: Vec<_> = (0..40).map(|n| note(&format!("event {n}"))).collect();
    // Each connection gets a little further, most of them not to the end of an event.
    let fates = (0..30).map(|n| Fate::Cut(120, CUTS[n % 2])).chain([Fate::Lasts]).collect();
    let world = assert_whole(World { fates, ..World::new(more) }, &apply());
    assert!(world.asked().len() > 10, "{:?}", world.asked());
}

#[test]
fn a_run_whose_number_was_not_told_is_known_by_its_last_event() {
    let fates = vec![Fate::Cut(0, Cut::Reset), Fate::Lasts];
    let world = assert_whole(World { fates, ..World::new(Vec::new()) }, &apply());
    assert_eq!(world.asked(), [Asked::Work, Asked::Attach(None, 1)]);
}

#[test]
fn another_run_is_not_taken_for_the_one_that_was_lost() {
    for count in [2, 20] {
        let fates = vec![Fate::Cut(0, Cut::Reset), Fate::Lasts];
        let mut world = World { fates, ..World::new(Vec::new()) };
        world.patience.back = Duration::from_millis(100);
        let told = apply();
        let world = Arc::new(world);
        // What is attached to has other events, or fewer.
        let mut other = World::new(vec![note("another"); count]);
        other.log.iter_mut().for_each(|event| event.at.push_str("of another"));
        let end = world.push_while(&told, &Arc::new(other));
        assert_eq!(
            in_words(&end),
            "the connection was lost as the run was to begin (the cable was cut); whether the run has begun says `keel history h1`"
        );
        assert_eq!(events(&told), wanted(&world.log[..2]));
    }
}

#[test]
fn who_does_not_come_back_is_said_to_go_on() {
    let length = World::new(Vec::new()).length();
    let fates = vec![Fate::Cut(length, Cut::Reset), Fate::Refused];
    let mut world = World { fates, ..World::new(Vec::new()) };
    world.patience.back = Duration::from_millis(200);
    let world = Arc::new(world);
    assert_eq!(
        in_words(&world.push(&apply())),
        "the connection was lost after the run had begun (the cable was cut); run 7 goes on there by itself, and `keel attach 7 h1` tells how it ends"
    );
    assert!(world.endpoints.lock().unwrap().len() > 3);
}

#[test]
fn a_reboot_is_waited_for_longer() {
    let reboot = EventBody::Rebooting { timeout: 2 };
    let more = vec![reboot, EventBody::Resumed { boot: "b".to_owned() }, note("after")];
    let whole = World::new(more.clone());
    let length = crate::host::frames(&[wire::Up::Event(Box::new(whole.log[2].clone()))]).len()
        + crate::host::frames(&[wire::Up::Event(Box::new(whole.log[3].clone()))]).len();
    let refused = std::iter::repeat_n(Fate::Refused, 6);
    let fates = [Fate::Cut(length, Cut::End)].into_iter().chain(refused).chain([Fate::Lasts]).collect();
    let mut world = World { fates, ..whole };
    (world.patience.back, world.patience.nap) = (Duration::ZERO, Duration::from_millis(20));
    let told = apply();
    assert_whole(world, &told);
    assert!(told.has("note it is down; run 7 goes on after that"), "{:?}", told.lines());
}

#[test]
fn who_leaves_is_told_where_the_run_is() {
    let fates = vec![Fate::Cut(400, Cut::Silence)];
    let mut world = World {
        fates,
        ..World::new(vec![EventBody::Armed { run: "7".into(), window: 60, because: vec![] }])
    };
    world.patience.silence = Duration::from_secs(20);
    let (world, told) = (Arc::new(world), apply());
    let end = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !told.has("event {\"event\":\"armed\"") {
                std::thread::sleep(Duration::from_millis(5));
            }
            told.detach.store(true, Ordering::SeqCst);
        });
        world.push(&told)
    });
    assert_eq!(end, End::Trouble(Trouble::Detached { host: "h1".into(), run: Some(7), window: Some(60) }));
    assert_eq!(
        in_words(&end),
        "run 7 goes on there by itself, and `keel attach 7 h1` tells how it ends; it is undone 60 s after its end, unless that is done by then"
    );
}

#[test]
fn a_breach_after_the_yes_ends_it_and_says_where_the_run_is() {
    let mut world = World::new(Vec::new());
    world.log[3].body = EventBody::Report(Default::default());
    let end = in_words(&Arc::new(world).push(&apply()));
    assert_eq!(
        end,
        "the host does not keep to the protocol while the run, which is the host's own: out of order: an event after the report; \
         it is not listened to any more. run 7 goes on there by itself, and `keel attach 7 h1` tells how it ends"
    );
}

#[test]
fn who_attaches_hears_on_as_well() {
    let told = Told { order: Ok(Order::Attach { run: Some(7), from: 0 }), ..Told::default() };
    let fates = vec![Fate::Cut(300, Cut::Reset), Fate::Lasts];
    let world = assert_whole(World { fates, ..World::new(Vec::new()) }, &told);
    assert!(
        matches!(world.asked()[..], [Asked::Attach(Some(7), 0), Asked::Attach(Some(7), 1..)]),
        "{:?}",
        world.asked()
    );
}
