//! What makes one configuration changes together, once it has been checked: all of it or nothing, however the run ends.

use crate::world::{Ran, apply, converge, edge, node, raw_host};
use agent::engine::Faults;
use agent::system::{Layer, System};
use model::{Catalog, EdgeKind, HostPath, NodeStatus, Op, UnitState, Verdict};
use serde_json::json;
use std::collections::BTreeSet;

const PAIR: [&str; 2] = ["/etc/site.conf", "/srv/upstream.conf"];

/// A running server whose check wants both files to say the same, and both say `old`.
fn server() -> Layer<'static> {
    let host = raw_host();
    let unit = UnitState {
        active: "active".to_owned(),
        file: "enabled".to_owned(),
        need_reload: false,
        can_reload: true,
    };
    host.put_unit("nginx.service", unit);
    PAIR.iter().for_each(|path| host.put_file(path, b"old", 0o644));
    host.put_agreement("nginx", &PAIR);
    host
}

/// Two files, a link and a file that is to go, all of which notify the server.
fn site(first: &str, second: &str) -> Catalog {
    let nodes = vec![
        node("file./etc/site.conf", json!({ "content": first })),
        node("file./srv/upstream.conf", json!({ "content": second })),
        node("symlink./etc/enabled.conf", json!({ "target": "site.conf" })),
        node("file./etc/stale.conf", json!({ "ensure": "absent" })),
        node("service.nginx", json!({ "running": true, "check": ["nginx", "-t"] })),
    ];
    let notify = (0..4).map(|at| edge(at, 4, EdgeKind::Notify));
    // What the link leads to comes first.
    let edges = notify.chain([edge(0, 2, EdgeKind::Require)]).collect();
    Catalog::new(nodes, edges).expect("a sound catalog")
}

fn verbs(ran: &Ran) -> Vec<String> {
    let verb = |line: String| line.split(' ').next().unwrap_or_default().to_owned();
    ran.status.acts.values().map(|act| verb(act.op.to_string())).collect()
}

fn holds(host: &Layer<'_>, path: &str) -> String {
    let bytes = host.read(&HostPath::new(path).unwrap(), 99).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn what_the_kernel_is_told_changes_beside_what_a_service_has_checked() {
    let host = server();
    host.put_file("/proc/sys/net/core/somaxconn", b"128\n", 0o644);
    host.put_file("/etc/sysctl.d/keep", b"", 0o644);
    let nodes = vec![
        node("file./etc/site.conf", json!({ "content": "new" })),
        node("file./srv/upstream.conf", json!({ "content": "new" })),
        node("sysctl.net.core.somaxconn", json!({ "value": 1024, "file": "/etc/sysctl.d/a.conf" })),
        node("mount./srv/scratch", json!({ "device": "tmpfs", "fstype": "tmpfs" })),
        node("service.nginx", json!({ "running": true, "check": ["nginx", "-t"] })),
    ];
    let edges = (0..4).map(|at| edge(at, 4, EdgeKind::Notify)).collect();
    let ran = apply(&host, &Catalog::new(nodes, edges).expect("a sound catalog"));
    assert_eq!(ran.outcome.nodes[..4], [NodeStatus::Changed; 4], "{:?}", ran.outcome);
    assert_eq!(holds(&host, "/proc/sys/net/core/somaxconn"), "1024\n");
    assert_eq!(verbs(&ran).iter().filter(|verb| *verb == "restart_unit").count(), 1);
}

#[test]
fn files_that_fit_together_change_together_and_the_service_reads_them_once() {
    let (host, catalog) = (server(), site("new", "new"));
    host.put_file("/etc/stale.conf", b"", 0o644);
    let ran = apply(&host, &catalog);
    assert_eq!(verbs(&ran), ["together", "check_unit", "restart_unit"], "{:?}", ran.outcome);
    let Op::Together(together) = &ran.status.acts[&1].op else { panic!("the first op") };
    assert_eq!((together.changes.len(), together.checks.len()), (4, 1));
    assert_eq!(ran.outcome.nodes[..4], [NodeStatus::Changed; 4]);
    assert!(ran.outcome.report.is_converged() && ran.status.owed.is_empty());
    assert!(apply(&host, &catalog).plan.is_empty());
}

#[test]
fn where_the_check_fails_nothing_is_seen_of_them() {
    let (host, catalog) = (server(), site("new", "other"));
    let before = host.snapshot();
    let ran = apply(&host, &catalog);
    assert_eq!(verbs(&ran), ["together"]);
    assert_eq!(host.snapshot(), before);
    assert_eq!(ran.outcome.nodes[..3], [NodeStatus::Failed; 3]);
    assert_eq!(ran.ended(&catalog, "service.nginx"), NodeStatus::Skipped);
    assert!(ran.status.owed.is_empty(), "nothing changed, and nobody has to read anything again");
    let mended = site("new", "new");
    let ran = converge(&host, &mended, Faults::default(), ran.status.owed);
    assert_eq!(verbs(&ran), ["together", "check_unit", "restart_unit"], "once, whatever was owed before");
    assert!(ran.status.owed.is_empty());
}

#[test]
fn the_plan_says_what_changes_together() {
    let ran = apply(&server(), &site("new", "new"));
    let [group] = &ran.plan.together[..] else { panic!("{:?}", ran.plan.together) };
    let ids: Vec<String> = group.nodes.iter().map(ToString::to_string).collect();
    assert_eq!(ids, ["file./etc/site.conf", "file./srv/upstream.conf", "symlink./etc/enabled.conf"]);
    assert_eq!(group.checks, ["check_unit nginx.service: nginx -t"]);
}

#[test]
fn one_that_cannot_be_had_holds_back_the_others_in_plan_and_run() {
    let (host, good) = (server(), site("new", "new"));
    let mut nodes = good.nodes().to_vec();
    nodes[1].params = json!({ "content": "new", "owner": "nobody-knows" });
    let before = host.snapshot();
    let catalog = Catalog::new(nodes, good.edges().to_vec()).unwrap();
    let ran = apply(&host, &catalog);
    assert_eq!(host.snapshot(), before);
    let because = "checked together with file./srv/upstream.conf, which cannot be had".to_owned();
    assert_eq!(ran.plan.nodes[0].verdict, Verdict::Skipped { because });
    assert_eq!(ran.ended(&catalog, "file./etc/site.conf"), NodeStatus::Skipped);
    let faults = Faults { fail_at_node: Some(1), ..Faults::default() };
    let ran = converge(&host, &good, faults, BTreeSet::new());
    assert_eq!(host.snapshot(), before);
    assert_eq!(ran.ended(&good, "file./srv/upstream.conf"), NodeStatus::Failed);
    assert_eq!(ran.ended(&good, "file./etc/site.conf"), NodeStatus::Skipped);
}

#[test]
fn cut_off_after_any_record_the_next_run_reaches_the_same_and_forgets_nobody() {
    let reference = server();
    let whole = apply(&reference, &site("new", "new")).records;
    for record in 0..whole {
        let host = server();
        let faults = Faults { crash_after_record: Some(record), ..Faults::default() };
        let cut = converge(&host, &site("new", "new"), faults, BTreeSet::new());
        assert_eq!(holds(&host, PAIR[0]), holds(&host, PAIR[1]), "after record {record}");
        let next = converge(&host, &site("new", "new"), Faults::default(), cut.status.owed.clone());
        assert_eq!(host.snapshot(), reference.snapshot(), "after record {record}");
        let restarts = |ran: &Ran| verbs(ran).iter().filter(|verb| *verb == "restart_unit").count();
        assert!(restarts(&cut) + restarts(&next) >= 1, "after record {record}");
        assert!(next.status.owed.is_empty() && next.outcome.report.is_converged(), "after record {record}");
    }
}

#[test]
fn several_edits_of_one_file_are_seen_as_one() {
    let host = server();
    let nodes = vec![
        node("file./etc/site.conf", json!({ "content": "a\n" })),
        node("line.more", json!({ "path": "/etc/site.conf", "line": "b" })),
        node("line.even-more", json!({ "path": "/etc/site.conf", "line": "c" })),
        node("service.nginx", json!({ "check": ["true"] })),
    ];
    let edges = [(0, 1), (1, 2)].map(|(from, to)| edge(from, to, EdgeKind::Require));
    let notify = (0..3).map(|at| edge(at, 3, EdgeKind::Notify));
    let catalog = Catalog::new(nodes, edges.into_iter().chain(notify).collect()).unwrap();
    let ran = apply(&host, &catalog);
    assert_eq!(holds(&host, "/etc/site.conf"), "a\nb\nc\n", "{:?}", ran.outcome);
    let Op::Together(together) = &ran.status.acts[&1].op else { panic!("the first op") };
    assert_eq!(together.changes.len(), 1);
}

#[test]
fn what_has_something_else_between_comes_later_and_nobody_waits_for_ever() {
    let host = server();
    let service = json!({ "check": ["true"] });
    let nodes = vec![
        node("file./etc/a", json!({})),
        node("file./etc/b", json!({})),
        node("exec.a", json!({ "command": ["true"] })),
        node("exec.b", json!({ "command": ["true"] })),
        node("file./srv/a", json!({})),
        node("file./srv/b", json!({})),
        node("service.nginx", service.clone()),
        node("service.other", service),
    ];
    // Each service has a file before and after a command, and its second file comes after the first of the other.
    let require = [(0, 2), (1, 3), (2, 4), (3, 5), (0, 5), (1, 4)];
    let notify = [(0, 6), (4, 6), (1, 7), (5, 7)].map(|(from, to)| edge(from, to, EdgeKind::Notify));
    let require = require.map(|(from, to)| edge(from, to, EdgeKind::Require));
    let catalog = Catalog::new(nodes, require.into_iter().chain(notify).collect()).unwrap();
    let ran = apply(&host, &catalog);
    assert_eq!(ran.outcome.nodes[..6], [NodeStatus::Changed; 6], "{:?}", ran.outcome);
    assert_eq!(ran.plan.together.len(), 4, "{:?}", ran.plan.together);
}

#[test]
fn groups_that_would_wait_for_each_other_are_taken_one_by_one() {
    let host = server();
    let nodes = vec![
        node("file./etc/a", json!({})),
        node("file./etc/b", json!({})),
        node("file./srv/b", json!({})),
        node("file./srv/a", json!({})),
        node("service.nginx", json!({ "check": ["true"] })),
        node("service.other", json!({ "check": ["true"] })),
    ];
    let notify = [(0, 4), (3, 4), (1, 5), (2, 5)].map(|(from, to)| edge(from, to, EdgeKind::Notify));
    let require = [(0, 2), (1, 3)].map(|(from, to)| edge(from, to, EdgeKind::Require));
    let catalog = Catalog::new(nodes, require.into_iter().chain(notify).collect()).unwrap();
    let ran = apply(&host, &catalog);
    assert_eq!(ran.outcome.nodes[..4], [NodeStatus::Changed; 4], "{:?}", ran.outcome);
    assert!(verbs(&ran).iter().filter(|verb| *verb == "together").count() >= 2);
}
