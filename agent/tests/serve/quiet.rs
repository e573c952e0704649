//! Silence: signs of life, and a controller that gives none. In this process, at a pace of its own.

use crate::host::Host;
use agent::serve::{Pace, Pipes, serve};
use agent::state::StateDir;
use model::Secrets;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};
use wire::{Ending, Heard, Inbox, Order, Up, VERSION, send_order};

#[test]
fn a_silent_controller_is_given_up_before_the_commit_point() {
    let host = Host::new();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let state = StateDir::new(host.state(""));
    let pace = Pace { alive: Duration::from_millis(50), silence: Duration::from_secs(2) };
    let pipes = Pipes { input: theirs.try_clone().unwrap(), output: theirs, hold: None };
    let stop = Arc::new(AtomicBool::new(false));
    let agent = thread::spawn(move || serve(pipes, &state, pace, &stop));
    // A controller that compiles says nothing, and takes longer than any other silence may.
    thread::sleep(Duration::from_millis(2500));
    let start = Instant::now();
    let order = Order::Apply(host.work_of(vec![host.link("l")]));
    send_order(&mut &ours, VERSION, order, &Secrets::default()).unwrap();
    let (mut inbox, mut said) = (Inbox::default(), Vec::new());
    while !matches!(said.last(), Some(Up::Done(_))) {
        let Ok(Some(Heard::Message(up))) = inbox.hear(&mut &ours) else { panic!("{said:?}") };
        said.push(up);
    }
    assert_eq!(agent.join().unwrap(), Ok(None));
    assert!(start.elapsed() >= Duration::from_secs(2) && said.contains(&Up::Question));
    assert!(said.iter().filter(|up| **up == Up::Alive).count() >= 3, "{said:?}");
    assert_eq!(said.last(), Some(&Up::Done(Ending::Declined)));
    assert!(!host.file("l").exists());
}
