//! What is worked on at the same time: whatever begins before anything has ended.

use crate::world::{edge, node, raw_host};
use agent::engine::{Choice, Faults, Graph, Host, Log, MemoryLog, Sink, forecast, run};
use agent::system::{Candidates, Layer};
use agent::undo::MemoryKeep;
use model::{Catalog, Edge, EdgeKind, EventBody, Failure, Node, Record, Secrets};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use wire::NoBlobs;

/// What was begun and ended, in order.
#[derive(Default)]
struct Told(Mutex<Vec<(bool, String)>>);

impl Sink for Told {
    fn emit(&self, body: EventBody) {
        let said = match body {
            EventBody::Working { id } => (true, id.to_string()),
            EventBody::Node { id, .. } => (false, id.to_string()),
            _ => return,
        };
        self.0.lock().expect("nobody panics here").push(said);
    }
}

/// How many records came at a time.
struct Lots(MemoryLog, Vec<usize>);

impl Log for Lots {
    fn append(&mut self, record: Record) -> Result<(), Failure> {
        self.append_all(vec![record])
    }

    fn append_all(&mut self, records: Vec<Record>) -> Result<(), Failure> {
        self.1.push(records.len());
        self.0.append_all(records)
    }
}

/// Begun before anything had ended, and most that were at work at any time.
fn begun(host: &Layer<'_>, nodes: Vec<Node>, edges: Vec<Edge>) -> (Vec<String>, usize) {
    let (first, most, _) = watched(host, nodes, edges);
    (first, most)
}

/// The same, and how many records were made durable at a time.
fn watched(host: &Layer<'_>, nodes: Vec<Node>, edges: Vec<Edge>) -> (Vec<String>, usize, Vec<usize>) {
    let catalog = Catalog::new(nodes, edges).expect("a sound catalog");
    let graph = Graph::load(&catalog, &Secrets::default(), agent::kinds::LIVE).expect("known kinds");
    let choice = Choice::default();
    let plan = forecast(&graph, host, &choice, &BTreeSet::new(), &NoBlobs).expect("a plan");
    let (keep, stop, sink) = (MemoryKeep::default(), AtomicBool::new(false), Told::default());
    let (comeback, faults) = (None, Faults::default());
    let place = Host { system: host, keep: &keep, sink: &sink, comeback, stop: &stop, faults };
    let mut log = Lots(MemoryLog::new(faults), Vec::new());
    let ended = run(&graph, (&plan, &choice), &place, &mut log, (1, BTreeSet::new()));
    assert!(ended.report.is_converged(), "{ended:?}");
    let told = sink.0.into_inner().expect("nobody panics here");
    let (mut now, mut most) = (0, 0);
    for (begins, _) in &told {
        now = if *begins { now + 1 } else { now - 1 };
        most = most.max(now);
    }
    let first = told.into_iter().take_while(|(begins, _)| *begins).map(|(_, id)| id);
    (first.collect(), most, log.1)
}

#[test]
fn files_that_are_ready_together_share_what_has_to_be_durable() {
    let mut nodes: Vec<Node> =
        (0..20).map(|number| node(&format!("file./srv/{number}"), json!({ "content": "x\n" }))).collect();
    nodes.push(node("service.s", json!({})));
    let edges = (0..20).map(|at| edge(at, 20, EdgeKind::Notify)).collect();
    let (_, _, records) = watched(&raw_host(), nodes, edges);
    assert_eq!(records[..3], [20, 20, 20], "who is owed, what is announced, what is done");
}

fn command(name: &str, more: &[(&str, Value)]) -> Node {
    let mut params = json!({ "command": ["/usr/bin/work", name] });
    more.iter().for_each(|(key, value)| params[*key] = value.clone());
    node(&format!("exec.{name}"), params)
}

#[test]
fn commands_run_one_by_one_unless_they_say_that_they_are_parallel() {
    let (first, most) = begun(&raw_host(), vec![command("a", &[]), command("b", &[])], Vec::new());
    assert_eq!((first, most), (vec!["exec.a".to_owned()], 1));
    let all: Vec<Node> =
        (0..10).map(|number| command(&number.to_string(), &[("parallel", json!(true))])).collect();
    let (first, most) =
        begun(&raw_host(), [all, vec![command("a", &[]), command("b", &[])]].concat(), Vec::new());
    assert_eq!((first.len(), most), (11, 11), "all of them beside one that is not");
}

#[test]
fn parallel_commands_keep_the_order_that_is_said() {
    let parallel = |name| command(name, &[("parallel", json!(true))]);
    let chain = vec![edge(0, 1, EdgeKind::Require), edge(1, 2, EdgeKind::Notify)];
    let (first, most) = begun(&raw_host(), vec![parallel("a"), parallel("b"), parallel("c")], chain);
    assert_eq!((first, most), (vec!["exec.a".to_owned()], 1));
}

#[test]
fn what_needs_no_package_does_not_wait_for_packages() {
    let host = raw_host();
    let names: Vec<String> = (0..30).map(|number| format!("p{number}")).collect();
    for name in &names {
        let (candidate, versions) = (Some("1".to_owned()), vec!["1".to_owned()]);
        host.put_candidates(name, Candidates { candidate, versions, ..Candidates::default() });
    }
    let mut nodes: Vec<Node> = names.iter().map(|name| node(&format!("package.{name}"), json!({}))).collect();
    let file = |number| node(&format!("file./srv/{number}"), json!({ "content": "x\n" }));
    nodes.extend((0..10).map(file));
    nodes.extend([node("group.g", json!({})), command("a", &[])]);
    let (first, _) = begun(&host, nodes, Vec::new());
    assert_eq!(first.len(), 30 + 10 + 2, "all begin at once: {first:?}");
}

#[test]
fn there_is_an_end_to_what_is_worked_on_at_once() {
    let file = |number| node(&format!("file./srv/{number}"), json!({ "content": "x\n" }));
    let (first, most) = begun(&raw_host(), (0..200).map(file).collect(), Vec::new());
    assert_eq!((first.len(), most), (128, 128), "four lots of files");
    let directory = |number| node(&format!("directory./srv/{number}"), json!({}));
    let (first, most) = begun(&raw_host(), (0..100).map(directory).collect(), Vec::new());
    assert_eq!((first.len(), most), (32, 32), "each of what is more than a file by itself");
}
