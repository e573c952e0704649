//! Hosts that are still booting are waited for where that was asked for; bugs that one host brings to light are its own.

use crate::host::{As, Host, in_words};
use crate::told::Told;
use crate::world::{Fate, World, apply};
use fleet::{End, Endpoint, Password, Remote, Trouble};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use wire::Ending;

#[test]
fn a_host_that_comes_up_is_waited_for() {
    for (wait, expected) in [(0, "h1:22 refused the connection"), (20, "Changed")] {
        let fates = vec![Fate::Refused, Fate::Lasts];
        let (told, world) =
            (Told { wait: Duration::from_secs(wait), ..apply() }, Arc::new(World::new(Vec::new())));
        let world = Arc::new(World { fates, ..Arc::into_inner(world).unwrap() });
        assert!(in_words(&world.push(&told)).starts_with(expected), "{:?}", told.lines());
        assert_eq!(told.has("note h1:22 refused"), wait > 0);
    }
}

/// Pushes to a host that is never reached; how often it was tried.
fn tried(trouble: &Trouble) -> usize {
    let count = AtomicUsize::new(0);
    let connect = |_: &Endpoint| -> Result<Box<dyn Remote>, Trouble> {
        count.fetch_add(1, Ordering::SeqCst);
        Err(trouble.clone())
    };
    let told = Told { wait: Duration::from_secs(3), ..Told::default() };
    let end = Host::new(As::Root).push_by(&connect, (&told, &Password::never()), &AtomicBool::new(false));
    assert_eq!(end, End::Trouble(trouble.clone()));
    count.load(Ordering::SeqCst)
}

#[test]
fn it_is_not_waited_for_without_end_nor_where_it_is_another() {
    assert_eq!(tried(&Trouble::HostKey("it has another key".to_owned())), 1);
    assert!(tried(&Trouble::ConnectionRefused { address: "h1:22".to_owned() }) > 1);
}

#[test]
fn a_bug_is_the_end_of_one_host_only() {
    let connect = |_: &Endpoint| -> Result<Box<dyn Remote>, Trouble> { panic!("a bug") };
    let told = Told::default();
    let end = Host::new(As::Root).push_by(&connect, (&told, &Password::never()), &AtomicBool::new(false));
    assert!(in_words(&end).starts_with("keel has a bug"), "{end:?}");
    assert_eq!(told.all("ended ").len(), 1);
    assert_ne!(end, End::Ended(Ending::Unchanged));
}
