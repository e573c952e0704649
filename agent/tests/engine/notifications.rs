//! Notifications are owed from before the change until the refresh has succeeded.

use crate::world::{apply, converge, edge, node, raw_host};
use agent::engine::Faults;
use model::{Catalog, EdgeKind, Id, NodeStatus, Owed, UnitState};
use serde_json::json;
use std::collections::BTreeSet;

fn catalog(content: &str) -> Catalog {
    let nodes = vec![
        node("file./etc/site.conf", json!({ "content": content })),
        node("service.nginx", json!({ "running": true })),
    ];
    Catalog::new(nodes, vec![edge(0, 1, EdgeKind::Notify)]).expect("a sound catalog")
}

fn running_host() -> agent::system::Layer<'static> {
    let host = raw_host();
    let unit = UnitState {
        active: "active".to_owned(),
        file: "enabled".to_owned(),
        need_reload: false,
        can_reload: true,
    };
    host.put_unit("nginx.service", unit);
    host
}

fn owed() -> BTreeSet<Owed> {
    let id = |text| Id::parse(text).expect("kind.name");
    BTreeSet::from([Owed { from: id("file./etc/site.conf"), to: id("service.nginx") }])
}

#[test]
fn a_change_refreshes_whom_it_notifies_once() {
    let host = running_host();
    let ran = apply(&host, &catalog("a\n"));
    let ops: Vec<String> = ran.status.acts.values().map(|act| act.op.to_string()).collect();
    assert_eq!(ops, ["write_file /etc/site.conf 0644 root:root", "restart_unit nginx.service"]);
    assert_eq!(ran.ended(&catalog("a\n"), "service.nginx"), NodeStatus::Refreshed);
}

#[test]
fn what_an_earlier_run_left_owed_is_answered_though_nothing_changed() {
    let host = running_host();
    apply(&host, &catalog("a\n"));
    let ran = converge(&host, &catalog("a\n"), Faults::default(), owed());
    assert!(!ran.plan.is_empty(), "a restart that is owed is something to do");
    assert_eq!(ran.ended(&catalog("a\n"), "service.nginx"), NodeStatus::Refreshed);
    assert!(ran.status.owed.is_empty());
}

#[test]
fn a_refresh_that_fails_stays_owed() {
    let host = running_host();
    let faults = Faults { fail_at_node: Some(1), ..Faults::default() };
    let ran = converge(&host, &catalog("a\n"), faults, BTreeSet::new());
    assert_eq!(ran.ended(&catalog("a\n"), "service.nginx"), NodeStatus::Failed);
    assert_eq!(ran.status.owed, owed());
}

#[test]
fn unit_files_that_changed_on_disk_are_read_again() {
    let host = running_host();
    let unit = UnitState {
        need_reload: true,
        ..agent::system::System::unit(&host, "nginx.service").unwrap().unwrap()
    };
    host.put_unit("nginx.service", unit);
    let nodes = vec![node("service.nginx", json!({ "running": true }))];
    let ran = apply(&host, &Catalog::new(nodes, Vec::new()).expect("a sound catalog"));
    let ops: Vec<String> = ran.status.acts.values().map(|act| act.op.to_string()).collect();
    assert_eq!(ops, ["reload_manager"]);
}

/// The catalog with a service that has its configuration checked.
fn checked(content: &str) -> Catalog {
    let service = json!({ "running": true, "check": ["nginx", "-t"] });
    let nodes =
        vec![node("file./etc/site.conf", json!({ "content": content })), node("service.nginx", service)];
    Catalog::new(nodes, vec![edge(0, 1, EdgeKind::Notify)]).expect("a sound catalog")
}

fn ops(ran: &crate::world::Ran) -> Vec<String> {
    ran.status.acts.values().map(|act| act.op.to_string()).collect()
}

#[test]
fn a_restart_comes_after_the_check_and_is_owed_until_that_passes() {
    let host = running_host();
    apply(&host, &catalog("a\n"));
    host.put_guard("nginx", 1);
    let ran = converge(&host, &checked("a\n"), Faults::default(), owed());
    assert_eq!(ops(&ran), ["check_unit nginx.service: nginx -t"], "it keeps running as it does");
    assert_eq!(ran.ended(&checked("a\n"), "service.nginx"), NodeStatus::Failed);
    assert_eq!(ran.status.owed, owed());
    host.put_guard("nginx", 0);
    let ran = converge(&host, &checked("a\n"), Faults::default(), ran.status.owed);
    assert_eq!(ops(&ran), ["check_unit nginx.service: nginx -t", "restart_unit nginx.service"]);
    assert!(ran.status.owed.is_empty());
}

#[test]
fn a_stopped_unit_is_not_started_on_a_bad_configuration() {
    let host = raw_host();
    host.put_file("/etc/site.conf", b"a\n", 0o644);
    host.put_guard("nginx", 1);
    let ran = apply(&host, &checked("a\n"));
    let unit = agent::system::System::unit(&host, "nginx.service").unwrap().unwrap();
    assert_eq!(unit.active, "inactive", "{:?}", ops(&ran));
    assert_eq!(ran.ended(&checked("a\n"), "service.nginx"), NodeStatus::Failed);
}
