//! An agent that waits for the next push: nothing before its first word, and from then on what any agent is. One that has served a push may stay, and
//! is such an agent then.

use crate::host::Host;
use crate::peer::Peer;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};
use wire::{ControllerSide, Down, Ending, Order, Terms, Up, Work, send};

fn start(host: &Host, seconds: &str) -> Peer {
    Peer::start(host.command().args(["spare", seconds]))
}

/// Work that leaves it to the agent to stay.
fn work(host: &Host) -> Work {
    Work { terms: Terms { stay: Some(60), ..Terms::default() }, ..host.work(&[("a", b"a")]) }
}

/// One that has shown a plan, and has stayed.
fn stayed(host: &Host) -> Peer {
    let mut peer = host.start();
    plans(&mut peer, host);
    let (line, start) = (format!("/proc/{}/cmdline", peer.child.id()), Instant::now());
    while !fs::read_to_string(&line).unwrap().ends_with("serve\0spare\x0060\0") {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    waits(&peer);
    peer
}

fn plans(peer: &mut Peer, host: &Host) {
    peer.side = ControllerSide::default();
    peer.hear_until("hello");
    peer.order(&Order::Plan(work(host)));
    while let Some(up) = peer.hear() {
        match up {
            Up::Want(wanted) => peer.give(&wanted, &[b"a"]),
            Up::Done(ending) => return assert_eq!(ending, Ending::Pending),
            _ => {}
        }
    }
    panic!("it has ended");
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
    let ways: [fn(&Host) -> Peer; 2] = [|host| start(host, "60"), stayed];
    for ((fate, befall), way) in FATES.iter().flat_map(|fate| ways.map(|way| (fate, way))) {
        let host = host();
        let mut peer = way(&host);
        waits(&peer);
        befall(&host);
        peer.say(&Down::Alive);
        assert_eq!(end(peer), (Vec::new(), String::new(), Some(0)), "{fate}");
    }
}

#[test]
fn one_that_stays_serves_again_and_says_nothing_meanwhile() {
    let host = host();
    let mut peer = stayed(&host);
    let pid = peer.child.id();
    assert_eq!(fs::read_to_string(format!("/proc/{pid}/comm")).unwrap(), "keel-agent\n");
    for _ in 0..2 {
        peer.say(&Down::Alive);
        plans(&mut peer, &host);
    }
    peer.input = None;
    assert_eq!(end(peer), (Vec::new(), String::new(), Some(0)));
    assert!(!host.state("runs").exists() && !host.state("lock").exists());
}

#[test]
fn one_whose_program_is_another_by_then_does_not_stay() {
    let host = host();
    let mut peer = host.start();
    peer.hear_until("hello");
    replace(&host);
    peer.order(&Order::Plan(work(&host)));
    let up = peer.hear_until("want");
    let Up::Want(wanted) = up else { panic!("{up:?}") };
    peer.give(&wanted, &[b"a"]);
    peer.hear_until("done");
    let (_, complained, code) = end(peer);
    assert_eq!((complained.as_str(), code), ("", Some(0)));
}

#[test]
fn after_a_change_or_a_no_none_stays() {
    for (yes, ending) in [(true, Ending::Changed), (false, Ending::Declined)] {
        let host = host();
        let talk = host.start().talk(&Order::Apply(work(&host)), &[b"a"], yes);
        assert_eq!((talk.ending(), talk.code), (Some(&ending), Some(0)));
    }
}
