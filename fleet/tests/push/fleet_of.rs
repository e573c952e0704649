//! Many hosts: none waits for another, and no more are at work than were asked for.

use crate::host::{As, Host, endpoint, frames, hello, short};
use crate::scripted::{Late, Scripted, WARM};
use crate::told::Told;
use fleet::{
    Agents, Connect, Controller, End, Endpoint, Password, Prepared, Push, Resume, Stage, Target, Trouble,
    push,
};
use model::{Event, Facts};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use wire::{Ending, Reply, Up};

/// Hosts by these names, which are their addresses as well.
fn targets(names: &[String]) -> Vec<Target> {
    let endpoint = |name: &String| Endpoint { host: name.clone(), ..endpoint("ada") };
    names.iter().map(|name| Target { name: name.clone(), endpoint: Ok(endpoint(name)) }).collect()
}

fn push_to(
    targets: &[Target],
    parallel: usize,
    connect: &Connect<'_>,
    controller: &dyn Controller,
) -> Vec<(String, End)> {
    let host = Host::new(As::Root);
    let (agents, password, stop) =
        (Agents::beside(&host.path("agents")), Password::never(), AtomicBool::new(false));
    let (places, patience) = (host.places(), short());
    let push_of = Push {
        targets,
        parallel,
        connect,
        password: &password,
        agents: &agents,
        places,
        patience,
        controller,
        stop: &stop,
        detach: &AtomicBool::new(false),
        runs: None,
        resume: Resume::No,
        wait: Duration::ZERO,
    };
    push(&push_of)
}

fn good(_: &Endpoint) -> Result<Box<dyn fleet::Remote>, Trouble> {
    // Every one of them claims to be the same host.
    Ok(Box::new(Scripted {
        script: WARM.to_owned(),
        words: frames(&[hello("db1"), Up::Done(Ending::Unchanged)]),
        after: Vec::new(),
    }))
}

#[test]
fn thirty_of_forty_hosts_end_while_ten_hang() {
    let names: Vec<_> = (0..40).map(|n| format!("{}{n}", if n < 10 { "dead" } else { "good" })).collect();
    let (told, ended) = (Told::default(), AtomicUsize::new(0));
    let connect = |endpoint: &Endpoint| {
        if endpoint.host.starts_with("good") {
            return good(endpoint);
        }
        let since = Instant::now();
        let limit = Duration::from_secs(20);
        let is_ended = || told.lines().iter().filter(|line| line.contains(": ended Ended")).count() == 30;
        while !is_ended() && since.elapsed() < limit {
            std::thread::sleep(Duration::from_millis(20));
        }
        ended.fetch_max(since.elapsed().as_secs() as usize, Ordering::SeqCst);
        Err(Trouble::Timeout { stage: Stage::Connect, limit, setting: " (ConnectTimeout)" })
    };
    let ends = push_to(&targets(&names), 4, &connect, &told);
    assert!(ended.load(Ordering::SeqCst) < 10, "the dead ones held the others up");
    assert_eq!(ends.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), names);
    for (name, end) in &ends {
        assert_eq!(*end == End::Ended(Ending::Unchanged), name.starts_with("good"), "{name}");
        assert_eq!(told.lines().iter().filter(|line| line.starts_with(&format!("{name}: ended"))).count(), 1);
    }
}

/// Counts who is at work at the same time.
#[derive(Default)]
struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Controller for Gauge {
    fn order(&self, _: &str, _: &Facts) -> Result<Prepared, String> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        self.now.fetch_sub(1, Ordering::SeqCst);
        Err("no".to_owned())
    }
    fn stage(&self, _: &str, _: Stage) {}
    fn event(&self, _: &str, _: &Event) {}
    fn reply(&self, _: &str, _: Reply) {}
    fn answer(&self, _: &str) -> Option<bool> {
        None
    }
    fn note(&self, _: &str, _: &str) {}
    fn ended(&self, _: &str, _: &End) {}
}

#[test]
fn no_more_are_at_work_than_were_asked_for_however_late_they_answer() {
    let names: Vec<_> = (0..6).map(|n| format!("h{n}")).collect();
    for (parallel, delay, most) in [(3, 0, 3), (1, 0, 1), (0, 0, 1), (2, 1200, 2)] {
        let gauge = Gauge::default();
        let connect = |endpoint: &Endpoint| {
            std::thread::sleep(Duration::from_millis(delay));
            good(endpoint)
        };
        let ends = push_to(&targets(&names), parallel, &connect, &gauge);
        assert!(ends.iter().all(|(_, end)| *end == End::Refused("no".to_owned())));
        assert!(gauge.most.load(Ordering::SeqCst) <= most, "{parallel} {delay}");
    }
}

#[test]
fn what_a_host_says_is_told_of_its_target_only() {
    let told = Told::default();
    push_to(&targets(&["web1".to_owned(), "web2".to_owned()]), 1, &good, &told);
    assert!(told.has("facts db1"));
    assert!(told.lines().iter().all(|line| line.starts_with("web1: ") || line.starts_with("web2: ")));
}

#[test]
fn a_target_without_an_endpoint_ends_with_its_trouble() {
    let trouble = Trouble::NameUnknown { host: "x".to_owned(), because: "nobody knows".to_owned() };
    let targets = [Target { name: "x".to_owned(), endpoint: Err(trouble.clone()) }];
    let ends = push_to(&targets, 1, &good, &Told::default());
    assert_eq!(ends, [("x".to_owned(), End::Trouble(trouble))]);
}

/// A host over a transport that connects only when a command is started.
fn late(delay: Duration, endpoint: &Endpoint) -> Box<dyn fleet::Remote> {
    let words = frames(&[hello("db1"), Up::Done(Ending::Unchanged)]);
    let host = Scripted { script: WARM.to_owned(), words, after: Vec::new() };
    Box::new(Late { delay, host: endpoint.host.starts_with("good").then_some(host) })
}

#[test]
fn hosts_that_are_connected_to_late_hold_nobody_up_either() {
    let names: Vec<_> = (0..20).map(|n| format!("{}{n}", if n < 10 { "dead" } else { "good" })).collect();
    let told = Told::default();
    let connect = |endpoint: &Endpoint| {
        let delay = Duration::from_secs(if endpoint.host.starts_with("good") { 0 } else { 8 });
        Ok(late(delay, endpoint))
    };
    let ends = push_to(&targets(&names), 4, &connect, &told);
    let lines = told.lines();
    let at = |words: &str| lines.iter().position(|line| line.contains(words)).unwrap();
    assert!(at("good19: ended Ended") < at("dead0: ended"), "the dead ones held the others up");
    let timeout = "no answer within 8 s while connecting (ConnectTimeout)";
    let dead = ends.iter().filter(|(_, end)| crate::host::in_words(end) == timeout);
    assert_eq!(dead.count(), 10);
}

#[test]
fn no_more_are_at_work_of_those_either() {
    let names: Vec<_> = (0..4).map(|n| format!("good{n}")).collect();
    let gauge = Gauge::default();
    let connect = |endpoint: &Endpoint| Ok(late(Duration::from_millis(1200), endpoint));
    push_to(&targets(&names), 1, &connect, &gauge);
    assert_eq!(gauge.most.load(Ordering::SeqCst), 1);
}

/// Hosts behind `bastion`.
fn behind(count: usize) -> Vec<Target> {
    let names: Vec<_> = (0..count).map(|n| format!("h{n}")).collect();
    let mut targets = targets(&names);
    for target in &mut targets {
        let hop = Endpoint { alias: "bastion".to_owned(), host: "192.0.2.1".to_owned(), ..endpoint("ada") };
        target.endpoint.as_mut().unwrap().jumps = vec![hop];
    }
    targets
}

#[test]
fn hosts_behind_another_are_connected_to_a_few_at_a_time() {
    let (gauge, begun) = (Gauge::default(), Instant::now());
    let connect = |endpoint: &Endpoint| {
        let now = gauge.now.fetch_add(1, Ordering::SeqCst) + 1;
        gauge.most.fetch_max(now, Ordering::SeqCst);
        // They wait for one another: on a busy machine the first would be done before the last begins.
        while gauge.most.load(Ordering::SeqCst) < 8 && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(20));
        gauge.now.fetch_sub(1, Ordering::SeqCst);
        good(endpoint)
    };
    let ends = push_to(&behind(30), 32, &connect, &Told::default());
    assert!(ends.iter().all(|(_, end)| *end == End::Ended(Ending::Unchanged)));
    assert_eq!(gauge.most.load(Ordering::SeqCst), 8);
}

#[test]
fn a_dead_host_on_the_way_is_not_tried_for_each_host_behind_it() {
    let tried = AtomicUsize::new(0);
    let dead = |hop: &str| {
        let refused = Trouble::ConnectionRefused { address: "192.0.2.1:22".to_owned() };
        Trouble::Through { hop: hop.to_owned(), trouble: Box::new(refused) }
    };
    for (hop, most) in [("bastion", 8), ("another", 30)] {
        let connect = |_: &Endpoint| {
            tried.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(50));
            Err(dead(hop))
        };
        let ends = push_to(&behind(30), 32, &connect, &Told::default());
        assert!(ends.iter().all(|(_, end)| *end == End::Trouble(dead(hop))));
        assert!((1..=most).contains(&tried.swap(0, Ordering::SeqCst)));
    }
}
