//! Notifications are owed from before the change until the refresh has succeeded.

use crate::world::{apply, converge, converge_some, edge, node, raw_host};
use agent::engine::{Choice, Faults, Host, MemoryLog, NoSink, Order, enact};
use agent::system::Layer;
use agent::undo::{MemoryKeep, Secrecy};
use model::{Answer, Catalog, EdgeKind, Id, NodeStatus, Op, Outcome, Owed, Record, UnitAction, UnitState};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

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
    let (unit, action) = ("nginx.service".to_owned(), UnitAction::Restart);
    let answer = Some(Answer { unit, action, check: Vec::new() });
    BTreeSet::from([Owed { from: id("file./etc/site.conf"), to: id("service.nginx"), answer }])
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

/// A host on which a run changed the file and was cut off before the restart, and what that run owed.
fn cut_before_the_restart(catalog: &Catalog) -> (Layer<'static>, BTreeSet<Owed>) {
    let cut = (0..9).find_map(|record| {
        let host = running_host();
        let faults = Faults { crash_after_record: Some(record), ..Faults::default() };
        let cut = converge(&host, catalog, faults, BTreeSet::new());
        let is_written = cut.status.acts.values().any(|act| matches!(act.outcome, Outcome::Done(..)));
        is_written.then_some((host, cut.status.owed))
    });
    cut.expect("a record says that the file is written")
}

#[test]
fn a_run_that_leaves_the_service_out_answers_what_an_earlier_one_left_owed() {
    let catalog = checked("a\n");
    let (host, owed) = cut_before_the_restart(&catalog);
    let choice = || Choice { only: BTreeSet::from(["other".to_owned()]), ..Choice::default() };
    host.put_guard("nginx", 1);
    let ran = converge_some(&host, (&catalog, choice()), Faults::default(), owed.clone());
    assert_eq!((ops(&ran), &ran.status.owed), (vec!["check_unit nginx.service: nginx -t".to_owned()], &owed));
    assert_eq!(ran.outcome.report.failed, 1);
    host.put_guard("nginx", 0);
    let ran = converge_some(&host, (&catalog, choice()), Faults::default(), owed);
    assert_eq!(ops(&ran), ["check_unit nginx.service: nginx -t", "restart_unit nginx.service"]);
    assert!(ran.status.owed.is_empty() && ran.outcome.report.is_converged());
}

#[test]
fn what_is_owed_in_this_run_to_one_that_it_leaves_out_waits() {
    let host = running_host();
    let mut nodes = catalog("a\n").nodes().to_vec();
    nodes[0].common.tags.insert("files".to_owned());
    let catalog = Catalog::new(nodes, vec![edge(0, 1, EdgeKind::Notify)]).unwrap();
    let choice = Choice { only: BTreeSet::from(["files".to_owned()]), ..Choice::default() };
    let ran = converge_some(&host, (&catalog, choice), Faults::default(), BTreeSet::new());
    assert_eq!(ops(&ran), ["write_file /etc/site.conf 0644 root:root"]);
    assert_eq!(ran.status.owed.len(), 1);
}

#[test]
fn a_run_for_another_catalog_answers_once_however_it_is_cut_off() {
    let other = Catalog::new(vec![node("file./srv/other", json!({}))], Vec::new()).unwrap();
    let restarts = |ran: &crate::world::Ran| ops(ran).iter().filter(|op| op.starts_with("restart")).count();
    for record in 0..20 {
        let (host, owed) = cut_before_the_restart(&checked("a\n"));
        let faults = Faults { crash_after_record: Some(record), ..Faults::default() };
        let cut = converge(&host, &other, faults, owed);
        let next = converge(&host, &other, Faults::default(), cut.status.owed.clone());
        let (before, after) = (restarts(&cut), restarts(&next));
        assert!(next.status.owed.is_empty() && (1..=2).contains(&(before + after)), "after record {record}");
        assert!(cut.outcome.dead.is_some() || (before, after) == (1, 0), "after record {record}");
    }
}

#[test]
fn a_rollback_answers_too_unless_it_has_restarted_the_service_itself() {
    let restart = || Op::Unit { name: "nginx.service".to_owned(), action: UnitAction::Restart };
    for orders in [Vec::new(), vec![restart()]] {
        let (host, owed) = cut_before_the_restart(&catalog("a\n"));
        let order = |op| Order { nodes: vec![Id::new("service", "nginx")], op, secrecy: Secrecy::Open };
        let (keep, stop) = (MemoryKeep::default(), AtomicBool::new(false));
        let mut log = MemoryLog::new(Faults::default());
        let place = Host {
            system: &host,
            keep: &keep,
            sink: &NoSink,
            stop: &stop,
            faults: Faults::default(),
            comeback: None,
        };
        let orders = orders.into_iter().map(order).collect();
        let outcome = enact(orders, &place, &mut log, (2, owed));
        let intents = log.records.iter().filter(|record| matches!(record, Record::Intent { .. })).count();
        assert_eq!((intents, outcome.owed.len()), (1, 0));
    }
}
