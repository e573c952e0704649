//! Connections that break, and hosts that fall silent.

use crate::door::{Door, LONG};
use crate::sshd::Sshd;
use fleet::{Endpoint, Pipe, Received, Trouble};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A command that has said `up`.
fn up(endpoint: &Endpoint) -> Box<dyn Pipe> {
    let mut pipe = Door::knowing(&[]).connect(endpoint).unwrap().exec("echo up; cat").unwrap();
    let mut buffer = [0; 3];
    assert_eq!(pipe.receive(&mut buffer, LONG).unwrap(), Received::Bytes(3));
    pipe
}

#[test]
fn an_sshd_that_is_killed_is_noticed_at_once() {
    let sshd = Sshd::start(&[]);
    for act in [
        |pipe: &mut dyn Pipe| pipe.receive(&mut [0; 9], LONG).map(|_| ()),
        |pipe: &mut dyn Pipe| pipe.send(&vec![0; 50_000_000]),
        |pipe: &mut dyn Pipe| pipe.finish(LONG).map(|_| ()),
    ] {
        let mut pipe = up(&sshd.endpoint());
        sshd.end_sessions();
        let start = Instant::now();
        let trouble = act(&mut *pipe).unwrap_err();
        assert!(matches!(trouble, Trouble::Lost { .. }), "{trouble}");
        assert!(start.elapsed() < Duration::from_secs(3), "{trouble} after {:?}", start.elapsed());
        assert!(pipe.send(b"more").is_err());
    }
}

/// Bytes go through it both ways, until it holds them all back.
fn proxy(port: u16) -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let stalled = Arc::new(AtomicBool::new(false));
    let stall = stalled.clone();
    thread::spawn(move || {
        let near = listener.accept().unwrap().0;
        let far = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let back = (far.try_clone().unwrap(), near.try_clone().unwrap(), stall.clone());
        thread::spawn(move || carry(back.0, back.1, &back.2));
        carry(near, far, &stall);
    });
    (own, stalled)
}

fn carry(mut from: TcpStream, mut to: TcpStream, stalled: &AtomicBool) {
    let mut buffer = [0; 10_000];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        while stalled.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(5));
        }
        if to.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

/// What becomes of `act` on a host that vanishes, after it was silent for longer than it takes to notice that.
fn vanish(act: impl FnOnce(&mut dyn Pipe) -> Result<(), Trouble>) {
    let sshd = Sshd::start(&[]);
    let (port, stalled) = proxy(sshd.port());
    let mut endpoint = Endpoint { port, ..sshd.endpoint() };
    (endpoint.alive_interval, endpoint.alive_count) = (Duration::from_secs(1), 1);
    let mut pipe = up(&endpoint);
    assert_eq!(pipe.receive(&mut [0; 9], Duration::from_secs(6)).unwrap(), Received::Nothing);
    stalled.store(true, Ordering::Relaxed);
    let start = Instant::now();
    let said = act(&mut *pipe).unwrap_err().to_string();
    stalled.store(false, Ordering::Relaxed);
    assert!(said.contains("no sign of life for ") && said.contains("ServerAliveInterval"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[test]
fn a_host_that_vanishes_while_it_is_listened_to_is_given_up() {
    vanish(|pipe| pipe.receive(&mut [0; 9], LONG).map(|_| ()));
}

#[test]
fn a_host_that_vanishes_while_it_is_sent_to_is_given_up() {
    vanish(|pipe| pipe.send(&vec![0; 50_000_000]));
}
#[test]
fn what_a_host_says_before_it_is_lost_is_heard() {
    let sshd = Sshd::start(&[]);
    let mut pipe = up(&sshd.endpoint());
    pipe.send(b"last words").unwrap();
    thread::sleep(Duration::from_millis(300));
    sshd.end_sessions();
    thread::sleep(Duration::from_millis(100));
    let mut buffer = [0; 20];
    assert_eq!(pipe.receive(&mut buffer, LONG).unwrap(), Received::Bytes(10));
    assert!(pipe.receive(&mut buffer, LONG).is_err());
}
