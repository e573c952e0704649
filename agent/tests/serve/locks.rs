//! What people lock stays as it is: the whole host, or a part of it and what stands behind that.

use crate::host::Host;
use crate::peer::Talk;
use model::{Catalog, Edge, EdgeKind, EventBody, SoftLock};
use wire::{Ending, Order, Reply, Rollback, Up, Work};

fn lock(resource: Option<String>, seconds: u64) -> Order {
    let (owner, reason, since) = ("ann@laptop".to_owned(), "upgrade".to_owned(), String::new());
    Order::Lock(SoftLock { resource, owner, reason, since, seconds })
}

fn ask(host: &Host, order: &Order) -> Talk {
    host.start().talk(order, &[], true)
}

fn list(host: &Host) -> Vec<SoftLock> {
    let talk = ask(host, &Order::Locks);
    let reply = |up: &Up| if let Up::Reply(reply) = up { Some((**reply).clone()) } else { None };
    let Some(Reply::Locks(locks)) = talk.said.iter().find_map(reply) else { panic!("{talk:?}") };
    locks
}

/// `b` and `c`, where `c` needs `b`, and `d`.
fn three(host: &Host) -> Work {
    let nodes = ["b", "c", "d"].map(|name| host.link(name)).to_vec();
    let edge = Edge { from: 0, to: 1, kind: EdgeKind::Require, because: String::new() };
    Work { catalog: Catalog::new(nodes, vec![edge]).unwrap(), ..host.work_of(Vec::new()) }
}

fn becauses(talk: &Talk) -> Vec<String> {
    let because = |up: &Up| match up {
        Up::Event(event) => match &event.body {
            EventBody::Node { because, .. } => Some(because.clone()),
            _ => None,
        },
        _ => None,
    };
    talk.said.iter().filter_map(because).collect()
}

#[test]
fn a_host_that_is_locked_is_left_alone_until_it_is_not() {
    let host = Host::new();
    assert_eq!(ask(&host, &lock(None, 3600)).ending(), Some(&Ending::Unchanged));
    let work = three(&host);
    let talk = ask(&host, &Order::Apply(work.clone()));
    assert_eq!(talk.ending(), Some(&Ending::Locked));
    assert!(talk.errors()[0].starts_with("this host is locked by ann@laptop until 2"), "{talk:?}");
    let planned = ask(&host, &Order::Plan(work.clone()));
    assert_eq!(planned.ending(), Some(&Ending::Pending));
    assert!(planned.said.iter().any(|up| matches!(up, Up::Event(event) if matches!(&event.body, EventBody::Plan(plan) if plan.locks.len() == 1))));
    assert_eq!(list(&host)[0].reason, "upgrade");
    assert_eq!(ask(&host, &Order::Unlock { resource: None }).ending(), Some(&Ending::Unchanged));
    assert!(list(&host).is_empty());
    host.apply(&work, &[]);
    ask(&host, &lock(None, 3600));
    assert_eq!(ask(&host, &Order::Rollback(Rollback::default())).ending(), Some(&Ending::Locked));
    assert!(host.file("b").is_symlink());
}

#[test]
fn a_part_that_is_locked_is_left_out_with_what_needs_it() {
    let host = Host::new();
    let pattern = format!("symlink.{}", host.file("[b]").display());
    ask(&host, &lock(Some(pattern.clone()), 3600));
    let talk = ask(&host, &Order::Apply(three(&host)));
    assert_eq!(talk.ending(), Some(&Ending::Locked), "{talk:?}");
    let reasons = becauses(&talk);
    assert!(
        reasons
            .iter()
            .any(|text| text.starts_with("locked by ann@laptop until 2") && text.ends_with(": upgrade"))
    );
    assert!(reasons.iter().any(|text| text.starts_with("blocked by symlink.")), "{reasons:?}");
    assert!(host.file("d").is_symlink() && !host.file("b").is_symlink() && !host.file("c").is_symlink());
    ask(&host, &Order::Unlock { resource: Some(pattern.clone()) });
    host.apply(&three(&host), &[]);
    ask(&host, &lock(Some(pattern), 3600));
    let as_desired = ask(&host, &Order::Apply(three(&host)));
    assert_eq!(as_desired.ending(), Some(&Ending::Unchanged), "what does not change is in nobody's way");
    let back = ask(&host, &Order::Rollback(Rollback::default()));
    assert_eq!(back.ending(), Some(&Ending::Locked), "{back:?}");
    assert!(host.file("b").is_symlink() && host.file("c").is_symlink());
}

#[test]
fn where_all_is_locked_nobody_is_asked_and_there_is_no_run() {
    let host = Host::new();
    ask(&host, &lock(Some(format!("symlink.{}", host.file("[bd]").display())), 3600));
    let talk = ask(&host, &Order::Apply(three(&host)));
    assert_eq!(talk.words().join(" "), "hello plan error report done");
    assert_eq!(talk.ending(), Some(&Ending::Locked));
    let why = &talk.errors()[0];
    let begin = format!(
        "all that would change is locked, and nothing was done: symlink.{}",
        host.file("b").display()
    );
    assert!(why.starts_with(&begin) && why.contains(" is locked by ann@laptop until 2"), "{why}");
    assert!(why.ends_with(": upgrade; and 1 more"), "{why}");
    assert!(!host.state("runs/000001").exists() && !host.file("b").is_symlink());
    ask(&host, &Order::Unlock { resource: None });
    host.apply(&three(&host), &[]);
}

#[test]
fn a_lock_that_is_none_is_refused() {
    let host = Host::new();
    for order in
        [lock(None, 0), lock(Some("file.[".to_owned()), 60), Order::Unlock { resource: Some("x".to_owned()) }]
    {
        assert!(matches!(ask(&host, &order).ending(), Some(Ending::Refused(_))), "{order:?}");
    }
    let shouting = SoftLock { owner: "a\u{1b}[2J".into(), ..list_one() };
    assert!(matches!(ask(&host, &Order::Lock(shouting)).ending(), Some(Ending::Refused(_))));
    assert!(list(&host).is_empty());
}

fn list_one() -> SoftLock {
    let Order::Lock(lock) = lock(None, 60) else { panic!() };
    lock
}

#[test]
fn a_lock_ends_by_itself() {
    let host = Host::new();
    ask(&host, &lock(None, 1));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    host.apply(&three(&host), &[]);
}
