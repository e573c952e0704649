//! What is said, in which order, about each kind of order.

use crate::host::Host;
use model::EventBody;
use wire::{Ending, Order, Reply, Rollback, Up};

const NOTHING: &[&[u8]] = &[];

#[test]
fn an_apply_is_planned_asked_for_done_and_told() {
    let (host, bytes) = (Host::new(), &b"hello\n"[..]);
    let work = host.work(&[("a", bytes)]);
    let talk = host.start().talk(&Order::Apply(work.clone()), &[bytes], true);
    let words = "hello want plan question started working node report done";
    assert_eq!(talk.words().join(" "), words);
    assert_eq!((talk.ending(), talk.code, talk.stderr.as_str()), (Some(&Ending::Changed), Some(0), ""));
    assert_eq!(std::fs::read(host.file("a")).unwrap(), bytes);
    let again = host.start().talk(&Order::Apply(work), NOTHING, true);
    assert_eq!(again.words().join(" "), "hello plan report done");
    assert_eq!(again.ending(), Some(&Ending::Unchanged));
}

#[test]
fn a_plan_shows_texts_and_leaves_nothing() {
    let (host, bytes) = (Host::new(), &b"shown\n"[..]);
    std::fs::write(host.file("a"), "before\n").unwrap();
    let work = host.work(&[("a", bytes), ("b", b"other\n")]);
    let talk = host.start().talk(&Order::Plan(work), &[bytes, b"other\n"], true);
    assert_eq!(talk.words().join(" "), "hello want plan report done");
    let Some(Up::Event(event)) = talk.said.iter().find(|it| matches!(it, Up::Event(_))) else { panic!() };
    let EventBody::Plan(plan) = &event.body else { panic!("{event:?}") };
    assert!(plan.nodes[0].texts[0].1.contains("-before\n+shown\n"), "{plan:?}");
    assert_eq!(talk.ending(), Some(&Ending::Pending));
    assert_eq!(host.state("").read_dir().unwrap().count(), 1, "only the agent's directory");
}

#[test]
fn a_no_is_a_no() {
    let (host, bytes) = (Host::new(), &b"a"[..]);
    let talk = host.start().talk(&Order::Apply(host.work(&[("a", bytes)])), &[bytes], false);
    assert_eq!(talk.words().join(" "), "hello want plan question note report done");
    assert_eq!(talk.ending(), Some(&Ending::Declined));
    assert!(!host.file("a").exists() && !host.state("runs/000001").exists());
}

#[test]
fn runs_are_listed_shown_and_rolled_back() {
    let (host, bytes) = (Host::new(), &b"a"[..]);
    let none = host.start().talk(&Order::Show { run: None }, NOTHING, true);
    let Some(Ending::Refused(why)) = none.ending() else { panic!("{none:?}") };
    assert!(why.to_string().starts_with("there has been no run on this machine"));
    host.apply(&host.work(&[("a", bytes)]), &[bytes]);
    let talk = host.start().talk(&Order::History, NOTHING, true);
    let Some(Up::Reply(reply)) = talk.said.get(1) else { panic!("{talk:?}") };
    assert!(matches!(&**reply, Reply::History(runs) if runs.len() == 1));
    let talk = host.start().talk(&Order::Show { run: Some(1) }, NOTHING, true);
    assert_eq!(
        (talk.words().join(" ").as_str(), talk.ending()),
        ("hello reply done", Some(&Ending::Unchanged))
    );
    let talk = host.start().talk(&Order::Show { run: Some(7) }, NOTHING, true);
    let Some(Ending::Refused(why)) = talk.ending() else { panic!("{talk:?}") };
    assert_eq!(why.to_string(), "there is no run 7; `keel history` lists them");
    let back = |forecast| Order::Rollback(Rollback { forecast, ..Rollback::default() });
    let shown = host.start().talk(&back(true), NOTHING, true);
    assert_eq!((shown.ending(), host.file("a").exists()), (Some(&Ending::Pending), true));
    let done = host.start().talk(&back(false), NOTHING, true);
    assert_eq!((done.ending(), host.file("a").exists()), (Some(&Ending::Changed), false));
}

#[test]
fn a_plan_with_more_text_than_goes_is_told_without() {
    let host = Host::new();
    let text = |at: usize| format!("{at}\n{}", format!("{}\n", "x".repeat(99)).repeat(2500)).into_bytes();
    let (names, texts): (Vec<String>, Vec<Vec<u8>>) =
        (0..70).map(|at| (format!("f{at:02}"), text(at))).unzip();
    let contents: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(String::as_str).zip(contents.iter().copied()).collect();
    let talk = host.start().talk(&Order::Plan(host.work(&files)), &contents, false);
    assert_eq!(talk.words().join(" "), "hello want plan note report done");
    assert_eq!(talk.ending(), Some(&Ending::Pending));
}

#[test]
fn facts_come_with_the_first_words() {
    let talk = Host::new().start().talk(&Order::Facts, NOTHING, true);
    let Some(Up::Hello(hello)) = talk.said.first() else { panic!("{talk:?}") };
    assert_eq!((hello.protocol, hello.facts.kernel.is_empty()), (wire::VERSION, false));
    assert_eq!((talk.words().join(" ").as_str(), talk.ending()), ("hello done", Some(&Ending::Unchanged)));
}

/// The agent starts itself again, as /proc/self/exe.
#[test]
fn needs_root_a_rehearsal_happens_in_a_copy() {
    let (host, bytes) = (Host::new(), &b"rehearsed\n"[..]);
    let talk = host.start().talk(&Order::Rehearse(host.work(&[("a", bytes)])), &[bytes], true);
    let words = talk.words();
    assert!(words.contains(&"rehearsal") && words.contains(&"want"), "{talk:?}");
    assert_eq!((talk.ending(), host.file("a").exists()), (Some(&Ending::Pending), false));
}
