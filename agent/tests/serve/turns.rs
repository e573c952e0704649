//! One run at a time: several agents at once, one that is killed, and who waits for whom.

use crate::host::Host;
use crate::peer::{Peer, Talk};
use model::EventBody;
use rustix::process::{Pid, Signal, kill_process};
use std::thread;
use std::time::{Duration, Instant};
use wire::{Ending, Order, Terms, Up, Work};

/// Says that it has begun, waits for `go`, and says that it has ended; two at once would be seen.
fn alone(host: &Host, wait: Option<u64>) -> Order {
    let script = "mkdir \"$1/alone\" || echo two >>\"$1/clash\"; echo run >>\"$1/runs\"; \
                  while [ -d \"$1\" ] && [ ! -e \"$1/go\" ]; do sleep 0.05; done; rmdir \"$1/alone\"";
    let argv = ["sh", "-c", script, "sh", &host.file("").display().to_string()].map(str::to_owned);
    let node = host.node("exec", "alone", serde_json::json!({ "command": argv }));
    let work = host.work_of(vec![node]);
    Order::Apply(Work { terms: Terms { wait, ..Terms::default() }, ..work })
}

fn begun(host: &Host) -> Peer {
    let mut peer = host.start();
    peer.hear_until("hello");
    peer.order(&alone(host, None));
    peer.hear_until("question");
    peer.answer(true);
    peer.hear_until("working");
    peer
}

fn waits(talk: &Talk) -> Vec<String> {
    let who = |up: &Up| match up {
        Up::Event(event) => match &event.body {
            EventBody::Waiting { who, .. } => Some(who.clone()),
            _ => None,
        },
        _ => None,
    };
    talk.said.iter().filter_map(who).collect()
}

#[test]
fn of_many_at_once_exactly_one_runs_and_the_others_learn_who() {
    for many in [2, 8, 32] {
        let host = &Host::new();
        let holder = begun(host);
        let orders: Vec<Order> = (1..many).map(|_| alone(host, None)).collect();
        let talks: Vec<Talk> = thread::scope(|scope| {
            let talk = |order| scope.spawn(move || host.start().talk(order, &[], true));
            let all: Vec<_> = orders.iter().map(talk).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        for talk in &talks {
            assert_eq!((talk.ending(), talk.errors().len()), (Some(&Ending::Locked), 1), "{talk:?}");
            let pid = holder.child.id();
            assert!(talk.errors()[0].contains(&format!("run 1, apply, process {pid}, since 2")), "{talk:?}");
        }
        std::fs::write(host.file("go"), "").unwrap();
        assert_eq!(holder.finish_at_the_end().ending(), Some(&Ending::Changed));
        assert_eq!(std::fs::read_to_string(host.file("runs")).unwrap(), "run\n");
    }
}

#[test]
fn who_waits_has_its_turn_one_after_the_other() {
    let host = &Host::new();
    std::fs::write(host.file("go"), "").unwrap();
    let orders: Vec<Order> = (0..8).map(|_| alone(host, Some(60))).collect();
    let talks: Vec<Talk> = thread::scope(|scope| {
        let talk = |order| scope.spawn(move || host.start().talk(order, &[], true));
        let all: Vec<_> = orders.iter().map(talk).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(talks.iter().all(|talk| talk.ending() == Some(&Ending::Changed)), "{talks:?}");
    assert!(talks.iter().any(|talk| !waits(talk).is_empty()));
    assert_eq!(std::fs::read_to_string(host.file("runs")).unwrap(), "run\n".repeat(8));
    assert!(!host.file("clash").exists());
}

#[test]
fn a_holder_that_is_killed_frees_the_host_within_a_second() {
    let host = Host::new();
    let holder = begun(&host);
    let (mut waiting, pid) = (host.start(), Pid::from_child(&holder.child));
    waiting.hear_until("hello");
    waiting.order(&alone(&host, Some(60)));
    waiting.hear_until("waiting");
    let start = Instant::now();
    kill_process(pid, Signal::KILL).unwrap();
    waiting.hear_until("plan");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    std::fs::write(host.file("go"), "").unwrap();
    holder.finish();
    let talk = waiting.finish();
    assert!(waits(&talk)[0].starts_with("run 1, apply, process "), "{talk:?}");
}

#[test]
fn who_waits_gives_up_in_time_or_when_told_to() {
    let host = Host::new();
    let holder = begun(&host);
    let start = Instant::now();
    let talk = host.start().talk(&alone(&host, Some(1)), &[], true);
    assert_eq!((talk.ending(), waits(&talk).len()), (Some(&Ending::Locked), 1));
    assert!(start.elapsed() >= Duration::from_secs(1));
    let mut gone = host.start();
    gone.hear_until("hello");
    gone.order(&alone(&host, Some(600)));
    gone.hear_until("waiting");
    assert_eq!(gone.finish().ending(), Some(&Ending::Locked), "nobody is there any more to wait for it");
    std::fs::write(host.file("go"), "").unwrap();
    holder.finish_at_the_end();
}
