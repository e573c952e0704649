//! A reboot in the middle: what it waits for, what waits for it, and that nothing goes down that could not come back.

use crate::world::{converge_with, edge, node, raw_host};
use agent::engine::{Choice, Comeback, Faults};
use agent::system::{Look, System};
use model::{Catalog, EdgeKind, Failure, HostPath, NodeStatus, Op, Outcome};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

/// Notes what it is asked, and refuses where it is told to.
#[derive(Default)]
struct Noted {
    asked: Mutex<Vec<String>>,
    refuses: bool,
}

impl Comeback for Noted {
    fn prepare(&self, patience: Duration) -> Result<(), Failure> {
        self.asked.lock().unwrap().push(format!("prepare {}", patience.as_secs()));
        if self.refuses { Err(Failure::refused("no room", "make some")) } else { Ok(()) }
    }

    fn withdraw(&self) {
        self.asked.lock().unwrap().push("withdraw".to_owned());
    }
}

/// Ten files, the reboot among them in the catalog, and one file that comes after it.
fn catalog() -> Catalog {
    let file = |name: String| node(&format!("file./srv/keep{name}"), json!({ "content": "x" }));
    let mut nodes: Vec<_> = (0..5).map(|at| file(format!("-early-{at}"))).collect();
    nodes.push(node("reboot.kernel", json!({})));
    nodes.extend((0..5).map(|at| file(format!("-other-{at}"))));
    nodes.push(file("-after".to_owned()));
    Catalog::new(nodes, vec![edge(5, 11, EdgeKind::Require)]).expect("a sound catalog")
}

fn host() -> agent::system::Layer<'static> {
    let host = raw_host();
    host.put_file("/run/systemd/system/keep", b"", 0o644);
    host.put_file("/run/reboot-required", b"", 0o644);
    host
}

#[test]
fn all_that_does_not_come_after_it_is_done_before() {
    let (host, catalog, noted) = (host(), catalog(), Noted::default());
    let ran = converge_with(
        &host,
        (&catalog, Choice::default()),
        (Faults::default(), Some(&noted)),
        BTreeSet::new(),
    );
    let order: Vec<bool> = ran.status.acts.values().map(|act| act.op == Op::Reboot).collect();
    assert_eq!(order, [vec![false; 10], vec![true, false]].concat());
    let last = ran.status.acts.values().last().unwrap();
    assert_eq!(last.nodes[0].to_string(), "file./srv/keep-after");
    assert_eq!(ran.outcome.report.changed, 12);
    assert_eq!(*noted.asked.lock().unwrap(), ["prepare 600", "withdraw"]);
}

#[test]
fn a_machine_does_not_go_down_where_the_run_could_not_come_back() {
    let (host, catalog) = (host(), catalog());
    let noted = Noted { refuses: true, ..Noted::default() };
    let ran = converge_with(
        &host,
        (&catalog, Choice::default()),
        (Faults::default(), Some(&noted)),
        BTreeSet::new(),
    );
    assert_eq!(ran.ended(&catalog, "reboot.kernel"), NodeStatus::Failed);
    assert_eq!(ran.ended(&catalog, "file./srv/keep-after"), NodeStatus::Skipped);
    let act = ran.status.acts.values().find(|act| act.op == Op::Reboot).unwrap();
    assert!(matches!(&act.outcome, Outcome::Failed(why, _) if why.contains("no room")));
    // The reason is still there.
    let required = host.look(&HostPath::new("/run/reboot-required").unwrap(), Look::Bare);
    assert!(required.unwrap().is_some());
    assert_eq!(*noted.asked.lock().unwrap(), ["prepare 600", "withdraw"]);
}

#[test]
fn as_an_answer_it_happens_once() {
    let host = host();
    let nodes = vec![
        node("file./srv/keep-a", json!({ "content": "x" })),
        node("reboot.a", json!({ "when": "pending" })),
    ];
    let catalog = Catalog::new(nodes, vec![edge(0, 1, EdgeKind::Notify)]).expect("a sound catalog");
    let count = |ran: &crate::world::Ran| ran.status.acts.values().filter(|act| act.op == Op::Reboot).count();
    let first = crate::world::apply(&host, &catalog);
    assert_eq!((count(&first), first.status.owed.len()), (1, 0));
    assert_eq!(count(&crate::world::apply(&host, &catalog)), 0);
}
