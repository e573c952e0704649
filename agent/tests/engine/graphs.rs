//! Plans and runs without faults.

use crate::world::{apply, edge, node, raw_host, web};
use agent::engine::Faults;
use model::{Catalog, EdgeKind, Node, NodeStatus, Verdict};
use serde_json::json;
use std::collections::BTreeSet;

#[test]
fn a_raw_host_becomes_what_the_catalog_says_and_stays_so() {
    let (host, catalog) = (raw_host(), web());
    let first = apply(&host, &catalog);
    assert!(first.outcome.report.is_converged(), "{:?}", first.outcome);
    let after = host.snapshot();
    let second = apply(&host, &catalog);
    assert!(second.plan.is_empty(), "{:#?}", second.plan);
    assert_eq!((second.outcome.report.changed, second.records), (0, 0), "nothing done, nothing journalled");
    assert_eq!(host.snapshot(), after);
}

#[test]
fn what_the_plan_says_is_what_the_run_does() {
    let (host, catalog) = (raw_host(), web());
    let ran = apply(&host, &catalog);
    let planned: BTreeSet<String> = ran
        .plan
        .nodes
        .iter()
        .flat_map(|node| node.steps.iter().chain(&node.refresh))
        .map(|step| step.op.to_string())
        .collect();
    let done: BTreeSet<String> = ran.status.acts.values().map(|act| act.op.to_string()).collect();
    assert_eq!(planned, done);
}

#[test]
fn what_a_package_may_bring_is_said_to_be_unknown() {
    let (host, catalog) = (raw_host(), web());
    let ran = apply(&host, &catalog);
    let conf = ran.plan.nodes.iter().find(|node| node.id.to_string() == "file./etc/site.conf");
    let Some(Verdict::Provisional { because }) = conf.map(|node| node.verdict.clone()) else {
        panic!("{conf:?}")
    };
    assert_eq!(because, "package.nginx will be installed and may bring /etc/site.conf");
}

#[test]
fn what_nothing_can_bring_fails_in_the_plan_already() {
    let files =
        [node("file./srv/none/a", json!({})), node("file./srv/b", json!({ "owner": "nobody-knows" }))];
    let verdicts = |nodes: Vec<Node>| {
        let ran = apply(&raw_host(), &Catalog::new(nodes, Vec::new()).expect("a sound catalog"));
        ran.plan.nodes.iter().map(|node| node.verdict.clone()).collect::<Vec<_>>()
    };
    let failed = |because: &str| Verdict::Failed { because: because.to_owned() };
    let expected = [failed("directory /srv/none does not exist"), failed("user nobody-knows does not exist")];
    assert_eq!(verdicts(files.to_vec()), expected);
    // A package may bring both.
    let after = verdicts([vec![node("package.nginx", json!({}))], files.to_vec()].concat());
    assert!(matches!(&after[1..], [Verdict::Provisional { .. }, Verdict::Provisional { .. }]), "{after:?}");
}

#[test]
fn a_unit_that_was_started_in_the_run_is_not_restarted_as_well() {
    let (host, catalog) = (raw_host(), web());
    let ran = apply(&host, &catalog);
    let units: Vec<String> =
        ran.status.acts.values().map(|act| act.op.to_string()).filter(|op| op.contains("_unit")).collect();
    assert_eq!(units, ["enable_unit nginx.service", "start_unit nginx.service"]);
    assert_eq!(ran.ended(&catalog, "service.nginx"), NodeStatus::Changed);
    assert!(ran.status.owed.is_empty(), "the start has answered the notification");
}

#[test]
fn a_node_that_fails_stops_only_what_depends_on_it() {
    let catalog = web();
    for (at, node) in catalog.nodes().iter().enumerate() {
        let host = raw_host();
        let faults = Faults { fail_at_node: Some(at), ..Faults::default() };
        let ran = crate::world::converge(&host, &catalog, faults, BTreeSet::new());
        let behind = dependants(&catalog, at);
        for (other, status) in ran.outcome.nodes.iter().enumerate() {
            let bad = matches!(status, NodeStatus::Failed | NodeStatus::Skipped);
            let expected = other == at || behind.contains(&other);
            assert_eq!(bad, expected, "{} failed: node {other} ended {status:?}", node.id);
        }
        let again = crate::world::converge(&host, &catalog, Faults::default(), ran.status.owed);
        assert!(again.outcome.report.is_converged(), "after {} failed once", node.id);
    }
}

fn dependants(catalog: &model::Catalog, at: usize) -> BTreeSet<usize> {
    let mut behind = BTreeSet::new();
    for edge in catalog.edges() {
        if edge.from == at || behind.contains(&edge.from) {
            behind.insert(edge.to);
        }
    }
    behind
}

#[test]
fn a_package_whose_source_may_come_first_is_provisional() {
    let source = node("file./etc/apt/sources.list", json!({ "content": "deb …\n" }));
    let nodes = vec![source, node("package.new", json!({}))];
    let catalog = Catalog::new(nodes, vec![edge(0, 1, EdgeKind::Require)]).expect("a sound catalog");
    let host = raw_host();
    host.put_file("/etc/apt/keep", b"", 0o644);
    let ran = apply(&host, &catalog);
    let Verdict::Provisional { because } = &ran.plan.nodes[1].verdict else {
        panic!("{:?}", ran.plan.nodes[1])
    };
    let expected = "file./etc/apt/sources.list will change and may bring a source of the package new";
    assert_eq!(because, expected);
    assert_eq!(ran.ended(&catalog, "package.new"), NodeStatus::Failed, "nothing brought it");
}
