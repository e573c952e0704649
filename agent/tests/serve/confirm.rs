//! A run that has to be confirmed: the watcher is a process of its own, which nobody here started.

use crate::host::Host;
use crate::peer::Talk;
use model::{Aftermath, Catalog, Edge, EdgeKind, EventBody, Id, Node, Settled, Stake, Undone};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use wire::{CONFIRM_WITHIN, Ending, OnFailure, Order, Reply, Terms, Up, Work};

const NOTHING: &[&[u8]] = &[];

/// A link, to be confirmed within so many seconds.
fn work(host: &Host, name: &str, seconds: u64) -> Work {
    let terms = Terms { confirm: Some(seconds), ..Terms::default() };
    Work { terms, ..host.work_of(vec![host.link(name)]) }
}

fn say(host: &Host, order: &Order) -> Talk {
    host.start().talk(order, NOTHING, true)
}

/// Repeats it until it is so, twenty seconds at most.
fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_pending(host: &Host) -> bool {
    host.state("pending").exists()
}

/// A link that dangles is there all the same.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The last event in the file of a run.
fn last(host: &Host, run: &str) -> EventBody {
    let text = std::fs::read_to_string(host.state("runs").join(run).join("events")).unwrap();
    serde_json::from_str::<model::Event>(text.lines().last().unwrap()).unwrap().body
}

/// The number of the process that watches.
fn watcher(host: &Host) -> String {
    let text = std::fs::read(host.state("watch.lock")).unwrap();
    serde_json::from_slice::<serde_json::Value>(&text).unwrap()["pid"].to_string()
}

fn kill(pid: &str) {
    assert!(Command::new("kill").args(["-9", pid]).status().unwrap().success());
}

#[test]
fn a_run_that_is_confirmed_stays() {
    let host = Host::new();
    let talk = say(&host, &Order::Apply(work(&host, "a", 60)));
    let words = "hello plan question started armed working node report done";
    assert_eq!((talk.words().join(" ").as_str(), talk.ending()), (words, Some(&Ending::Changed)));
    let locked = say(&host, &Order::Apply(work(&host, "b", 60)));
    assert_eq!(locked.ending(), Some(&Ending::Locked), "nothing is built on what may go");
    assert!(locked.errors()[0].contains("run 1"), "{locked:?}");
    // Whoever missed the answer is told once more.
    for _ in 0..2 {
        let said = "hello confirmed done";
        let talk = say(&host, &Order::Confirm { run: 1 });
        assert_eq!((talk.words().join(" ").as_str(), talk.ending()), (said, Some(&Ending::Unchanged)));
    }
    assert!(matches!(last(&host, "000001"), EventBody::Confirmed { .. }));
    soon("the watcher goes", || {
        say(&host, &Order::Apply(work(&host, "b", 0))).ending() == Some(&Ending::Changed)
    });
    assert!(is_there(&host.file("a")) && !is_pending(&host));
}

/// What the plan says that the run has to be confirmed for.
fn armed(talk: &Talk) -> Option<Stake> {
    let plan = |up: &Up| match up {
        Up::Event(event) => match &event.body {
            EventBody::Plan(plan) => Some(plan.armed.clone()),
            _ => None,
        },
        _ => None,
    };
    talk.said.iter().find_map(plan).expect("a plan")
}

#[test]
fn a_plan_says_before_the_yes_what_the_run_has_to_be_confirmed_for() {
    let host = Host::new();
    let asked = Stake { window: 60, because: vec!["it was asked for".to_owned()] };
    assert_eq!(armed(&say(&host, &Order::Plan(work(&host, "a", 60)))), Some(asked.clone()));
    assert_eq!(armed(&say(&host, &Order::Plan(work(&host, "a", 0)))), None);
    let terms = Terms { login: Some("root".to_owned()), ..Terms::default() };
    let link = |terms| Work { terms, ..host.work_of(vec![host.link("a")]) };
    assert_eq!(armed(&say(&host, &Order::Plan(link(terms.clone())))), None);
    let node = Node { id: Id::new("symlink", "/etc/ssh/none-of-ours"), ..host.link("a") };
    let plan = say(&host, &Order::Plan(Work { terms, ..host.work_of(vec![node]) }));
    let because = vec!["/etc/ssh/none-of-ours: the ssh server".to_owned()];
    assert_eq!(armed(&plan), Some(Stake { window: CONFIRM_WITHIN, because }));
    assert_eq!(armed(&say(&host, &Order::Apply(work(&host, "a", 60)))), Some(asked));
    say(&host, &Order::Confirm { run: 1 });
    assert_eq!(armed(&say(&host, &Order::Plan(work(&host, "a", 60)))), None, "nothing is to be done");
}

/// What the history says of the runs, the last one first, and `show` of the first.
fn aftermath(host: &Host) -> (Vec<Aftermath>, Aftermath) {
    let reply = |order| {
        say(host, &order).said.into_iter().find_map(|up| match up {
            Up::Reply(reply) => Some(*reply),
            _ => None,
        })
    };
    let Some(Reply::History(runs)) = reply(Order::History) else { panic!() };
    let Some(Reply::Run { after, .. }) = reply(Order::Show { run: Some(1) }) else { panic!() };
    (runs.into_iter().map(|run| run.after).collect(), after)
}

#[test]
fn what_became_of_a_run_is_in_its_history() {
    let host = Host::new();
    say(&host, &Order::Apply(work(&host, "a", 1)));
    assert!(aftermath(&host).1.waits);
    soon("it is undone", || !is_pending(&host));
    let (runs, first) = aftermath(&host);
    let because = Some(Settled::Reverted("nobody confirmed it within 1 s".to_owned()));
    assert_eq!((first.settled.clone(), first.undone), (because, Some(Undone { by: 2, whole: true })));
    assert_eq!(runs, [Aftermath::default(), first]);
}

#[test]
fn a_run_that_nobody_confirms_is_undone() {
    let host = Host::new();
    say(&host, &Order::Apply(work(&host, "a", 1)));
    assert!(is_there(&host.file("a")));
    soon("it is undone", || !is_pending(&host));
    assert!(!is_there(&host.file("a")));
    assert!(matches!(last(&host, "000001"), EventBody::Reverted { run, .. } if run == "1"));
    let talk = say(&host, &Order::Confirm { run: 1 });
    let words = "hello reverted done";
    assert_eq!((talk.words().join(" ").as_str(), talk.ending()), (words, Some(&Ending::Reverted)));
}

#[test]
fn a_run_that_is_killed_is_undone() {
    let host = Host::new();
    let exec = serde_json::json!({ "command": ["/bin/sh", "-c", "sleep 30"], "undo": ["/bin/true"] });
    let nodes = vec![host.link("a"), host.node("exec", "wait", exec)];
    let terms = Terms { confirm: Some(1), ..Terms::default() };
    let mut peer = host.start();
    peer.hear_until("hello");
    peer.order(&Order::Apply(Work { terms, ..host.work_of(nodes) }));
    peer.hear_until("question");
    peer.answer(true);
    soon("the link is made", || is_there(&host.file("a")));
    kill(&peer.child.id().to_string());
    soon("it is undone", || !is_pending(&host));
    assert!(!is_there(&host.file("a")));
}

#[test]
fn a_run_is_undone_also_where_the_note_of_it_is_damaged() {
    for damaged in ["", "{", "{\"run\":7,\"window\":3600,\"because\":[],\"phase\":\"armed\"}\n00000000\n"] {
        let host = Host::new();
        say(&host, &Order::Apply(work(&host, "a", 2)));
        soon("its time runs", || {
            std::fs::read_to_string(host.state("pending")).is_ok_and(|text| text.contains("waiting"))
        });
        std::fs::write(host.state("pending"), damaged).unwrap();
        let confirmed = say(&host, &Order::Confirm { run: 1 });
        assert_ne!(confirmed.ending(), Some(&Ending::Unchanged), "{damaged}: {confirmed:?}");
        soon("it is undone", || !is_pending(&host));
        assert!(!is_there(&host.file("a")), "{damaged}");
        assert!(matches!(last(&host, "000001"), EventBody::Reverted { run, .. } if run == "1"), "{damaged}");
    }
}

#[test]
fn a_watcher_that_is_killed_is_posted_again_by_whoever_comes() {
    let host = Host::new();
    say(&host, &Order::Apply(work(&host, "a", 3)));
    kill(&watcher(&host));
    std::thread::sleep(Duration::from_secs(4));
    assert!(is_pending(&host) && is_there(&host.file("a")), "nobody is there to undo it");
    let talk = say(&host, &Order::Apply(work(&host, "b", 0)));
    assert_eq!(talk.ending(), Some(&Ending::Locked));
    soon("it is undone", || !is_pending(&host));
    assert!(!is_there(&host.file("a")));
}

#[test]
fn a_run_that_nobody_watches_over_does_not_begin() {
    let host = Host::new();
    std::fs::create_dir(host.state("watch.lock")).unwrap();
    let talk = say(&host, &Order::Apply(work(&host, "a", 60)));
    assert_eq!(talk.ending(), Some(&Ending::Failed), "{talk:?}");
    assert!(!is_there(&host.file("a")) && !is_pending(&host));
    let Some(Up::Event(event)) = talk.said.iter().rev().nth(1) else { panic!("{talk:?}") };
    assert!(matches!(&event.body, EventBody::Report(report) if report.skipped == 1), "{event:?}");
}

#[test]
fn only_runs_are_confirmed() {
    let host = Host::new();
    let talk = say(&host, &Order::Confirm { run: 9 });
    assert!(matches!(talk.ending(), Some(Ending::Refused(_))), "{talk:?}");
    host.apply(&host.work_of(vec![host.link("a")]), NOTHING);
    let talk = say(&host, &Order::Confirm { run: 1 });
    assert_eq!((talk.words().join(" ").as_str(), talk.ending()), ("hello done", Some(&Ending::Unchanged)));
}

/// A link, and then a command that fails.
fn failing(host: &Host, link: &str, terms: Terms) -> Work {
    let exec = serde_json::json!({ "command": ["/bin/false"] });
    let nodes = vec![host.link(link), host.node("exec", "fail", exec)];
    let edge = Edge { from: 0, to: 1, kind: EdgeKind::Require, because: String::new() };
    Work { catalog: Catalog::new(nodes, vec![edge]).unwrap(), terms, ..host.work_of(Vec::new()) }
}

#[test]
fn a_run_that_fails_is_undone_where_that_was_asked_for() {
    let host = Host::new();
    let undo = |confirm| Terms { on_failure: OnFailure::Rollback, confirm, ..Terms::default() };
    say(&host, &Order::Apply(failing(&host, "kept", Terms::default())));
    assert!(is_there(&host.file("kept")));
    for (link, confirm) in [("a", None), ("b", Some(60))] {
        let talk = say(&host, &Order::Apply(failing(&host, link, undo(confirm))));
        assert_eq!(talk.ending(), Some(&Ending::Reverted), "{talk:?}");
        assert!(talk.words().join(" ").ends_with("node note reverted report done"), "{talk:?}");
        assert!(is_there(&host.file("kept")) && !is_there(&host.file(link)));
        soon("the watcher goes", || !is_pending(&host));
    }
}
