//! What breaks off: before the commit point nothing has changed, after it the run goes on.

use crate::host::Host;
use model::Secrets;
use rustix::process::{Pid, Signal, kill_process};
use std::time::{Duration, Instant};
use wire::{Down, Ending, Order, Up, VERSION, send_order};

const BYTES: &[u8] = b"bytes\n";

fn order(host: &Host) -> Order {
    Order::Apply(host.work(&[("a", BYTES)]))
}

/// The bytes that a controller sends up to the answer, were it not to wait.
fn said(host: &Host) -> Vec<u8> {
    let mut bytes = Vec::new();
    send_order(&mut bytes, VERSION, order(host), &Secrets::default()).unwrap();
    bytes
}

#[test]
fn an_end_before_the_commit_point_leaves_the_host_as_it_was() {
    let host = Host::new();
    let order_bytes = said(&host);
    for cut in [0, 1, 7, order_bytes.len() / 2, order_bytes.len() - 1, order_bytes.len()] {
        let mut peer = host.start();
        peer.raw(&order_bytes[..cut]);
        drop(peer.input.take());
        peer.side.orders(&order(&host));
        let mut output = Vec::new();
        std::io::Read::read_to_end(peer.output.as_mut().unwrap(), &mut output).unwrap();
        assert!(peer.child.wait().unwrap().code().is_some_and(|code| code <= 1));
        assert!(host.is_untouched(), "cut at {cut}");
    }
}

#[test]
fn an_end_at_a_want_or_at_the_question_is_a_no() {
    for wanted in ["want", "question"] {
        let host = Host::new();
        let mut peer = host.start();
        peer.hear_until("hello");
        peer.order(&order(&host));
        if wanted == "question" {
            let Up::Want(digests) = peer.hear_until("want") else { panic!() };
            peer.give(&digests, &[BYTES]);
        }
        peer.hear_until(wanted);
        let talk = peer.finish();
        assert_eq!((talk.ending(), talk.code), (Some(&Ending::Declined), Some(0)), "{talk:?}");
        assert!(!host.file("a").exists() && !host.state("runs/000001").exists());
    }
}

/// A second of work, then a file.
fn slow(host: &Host) -> Order {
    let run = serde_json::json!({ "command": ["sleep", "1"] });
    let done = serde_json::json!({ "command": ["touch", host.file("done").display().to_string()] });
    Order::Apply(host.work_of(vec![host.node("exec", "a-wait", run), host.node("exec", "b-done", done)]))
}

fn within(seconds: u64, mut is_so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds) {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn a_run_that_has_begun_goes_on_without_its_controller() {
    let host = Host::new();
    let mut peer = host.start();
    peer.hear_until("hello");
    peer.order(&slow(&host));
    peer.hear_until("question");
    peer.answer(true);
    let pid = Pid::from_child(&peer.child);
    peer.hear_until("started");
    drop((peer.input.take(), peer.output.take()));
    kill_process(pid, Signal::HUP).unwrap();
    let talk = peer.finish();
    assert_eq!((talk.code, talk.stderr.as_str()), (Some(0), ""));
    assert!(host.file("done").exists());
    let events = std::fs::read_to_string(host.state("runs/000001/events")).unwrap();
    assert!(events.lines().last().unwrap().contains("\"event\":\"report\""), "{events}");
}

#[test]
fn a_yes_counts_however_soon_the_controller_leaves() {
    for _ in 0..5 {
        let host = Host::new();
        let mut peer = host.start();
        peer.hear_until("hello");
        peer.order(&Order::Apply(host.work_of(vec![host.link("l")])));
        peer.hear_until("question");
        peer.answer(true);
        drop((peer.input.take(), peer.output.take()));
        assert_eq!(peer.finish().code, Some(0));
        assert!(host.file("l").is_symlink() && host.state("runs/000001/closing").exists());
    }
}

#[test]
fn who_does_not_listen_any_more_is_not_waited_for_before_the_commit_point() {
    let host = Host::new();
    let mut peer = host.start();
    peer.hear_until("hello");
    drop(peer.output.take());
    peer.order(&order(&host));
    let mut child = peer.child;
    let mut ended = None;
    let has_ended = || {
        ended = child.try_wait().unwrap();
        ended.is_some()
    };
    assert!(within(20, has_ended), "it waits");
    assert!(ended.and_then(|status| status.code()) == Some(0) && host.is_untouched());
}

#[test]
fn a_controller_that_does_not_read_holds_up_nothing() {
    let host = Host::new();
    let link = |at: usize| host.link(&format!("{at:04}{}", "x".repeat(200)));
    let mut peer = host.start();
    peer.hear_until("hello");
    peer.order(&Order::Apply(host.work_of((0..600).map(link).collect())));
    peer.hear_until("question");
    peer.answer(true);
    let closed = host.state("runs/000001/closing");
    assert!(within(60, || closed.exists()), "the run waits for its controller");
    assert_eq!(peer.finish().ending(), Some(&Ending::Changed));
}

#[test]
fn a_stop_is_a_no_before_the_commit_point_and_the_next_safe_point_after_it() {
    for committed in [false, true] {
        let host = Host::new();
        let mut peer = host.start();
        peer.hear_until("hello");
        peer.order(&slow(&host));
        peer.hear_until("question");
        if committed {
            peer.answer(true);
            peer.hear_until("working");
        }
        peer.say(&Down::Stop);
        peer.hear_until("done");
        let talk = peer.finish();
        let ending = if committed { Ending::Failed } else { Ending::Declined };
        assert_eq!((talk.ending(), host.file("done").exists()), (Some(&ending), false), "{talk:?}");
        assert_eq!(host.state("runs/000001").exists(), committed);
    }
}

#[test]
fn what_is_not_the_protocol_ends_it_in_words() {
    let speak = |protocol| {
        let mut bytes = Vec::new();
        wire::send(&mut bytes, &Down::Speak { protocol }).unwrap();
        bytes
    };
    for (bytes, words) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "the controller does not keep to the protocol"),
        (speak(VERSION + 1), "the other side speaks version 2 of the protocol, and this one 1"),
        ([speak(VERSION), b"\x01\0\0\0\x04true".to_vec()].concat(), "a message cannot be read"),
        (b"\x01\xff\xff\xff\xff".to_vec(), "are the most"),
    ] {
        let host = Host::new();
        let mut peer = host.start();
        peer.raw(&bytes);
        peer.hear_until("hello");
        let talk = peer.finish();
        assert!(talk.code == Some(1) && talk.stderr.contains(words), "{talk:?}");
        assert!(host.is_untouched());
    }
}
