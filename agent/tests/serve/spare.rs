//! An agent that waits for the next push: nothing before its first word, and from then on what any agent is.

use crate::host::Host;
use crate::peer::Peer;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};
use wire::{Down, Ending, Order, send};

fn start(host: &Host, seconds: &str) -> Peer {
    Peer::start(host.command().args(["spare", seconds]))
}

/// What it has said, and its exit code.
fn end(mut peer: Peer) -> (Vec<u8>, String, Option<i32>) {
    let (mut said, mut complained) = (Vec::new(), String::new());
    peer.output.take().unwrap().read_to_end(&mut said).unwrap();
    peer.child.stderr.take().unwrap().read_to_string(&mut complained).unwrap();
    (said, complained, peer.child.wait().unwrap().code())
}

/// A host whose agent no other test has a second name of.
fn host() -> Host {
    let host = Host::new();
    replace(&host);
    host
}

fn replace(host: &Host) {
    fs::copy(host.agent(), host.state("other")).unwrap();
    fs::rename(host.state("other"), host.agent()).unwrap();
}

/// Waits until it waits: proc_pid_stat(5) has its state behind its name.
fn waits(peer: &Peer) {
    let (stat, start) = (format!("/proc/{}/stat", peer.child.id()), Instant::now());
    while !fs::read_to_string(&stat).unwrap().contains(") S ") {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn it_serves_when_its_first_word_has_come() {
    let host = host();
    let mut peer = start(&host, "60");
    waits(&peer);
    assert!(!host.state("runs").exists() && !host.state("lock").exists());
    send(peer.input.as_mut().unwrap(), &Down::Alive).unwrap();
    let work = host.work(&[("a", b"a")]);
    let talk = peer.talk(&Order::Apply(work), &[b"a"], true);
    assert_eq!((talk.ending(), talk.stderr.as_str(), talk.code), (Some(&Ending::Changed), "", Some(0)));
}

#[test]
fn who_is_not_wanted_ends_and_has_done_nothing() {
    let host = host();
    let before = entries(&host);
    let mut left = start(&host, "60");
    waits(&left);
    left.input = None;
    assert_eq!(end(left), (Vec::new(), String::new(), Some(0)));
    assert_eq!(end(start(&host, "1")), (Vec::new(), String::new(), Some(0)));
    assert_eq!(entries(&host), before);
    let killed = start(&host, "60");
    waits(&killed);
    let pid = rustix::process::Pid::from_child(&killed.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(end(killed).2, None);
}

fn entries(host: &Host) -> usize {
    fs::read_dir(host.state("")).unwrap().count()
}

/// What happens to the program or its directories while it waits.
type Fate = (&'static str, fn(&Host));

const FATES: &[Fate] = &[
    ("it is removed", |host| fs::remove_file(host.agent()).unwrap()),
    ("another is put in its place", replace),
    ("somebody else may write there", |host| {
        fs::set_permissions(host.state("bin"), fs::Permissions::from_mode(0o777)).unwrap();
    }),
    ("all of it is removed", |host| fs::remove_dir_all(host.state("")).unwrap()),
];

#[test]
fn one_that_is_not_what_was_checked_says_nothing() {
    for (fate, befall) in FATES {
        let host = host();
        let mut peer = start(&host, "60");
        waits(&peer);
        befall(&host);
        send(peer.input.as_mut().unwrap(), &Down::Alive).unwrap();
        assert_eq!(end(peer), (Vec::new(), String::new(), Some(0)), "{fate}");
    }
}
