//! A host in memory, a catalog for it, and one run over both.

use agent::engine::{Choice, Comeback, Faults, Graph, Host, MemoryLog, NoSink, Outcome, forecast, run};
use agent::system::{Candidates, Layer, System};
use agent::undo::MemoryKeep;
use model::{Catalog, Edge, EdgeKind, Id, Node, NodeStatus, Owed, Plan, Secrets, Status, UnitState};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use wire::NoBlobs;

/// A raw host, to which a web server may come.
pub fn raw_host() -> Layer<'static> {
    let host = Layer::memory();
    for directory in ["/etc/keep", "/srv/keep", "/etc/systemd/system/keep", "/home/keep"] {
        host.put_file(directory, b"", 0o644);
    }
    let candidates = Candidates {
        candidate: Some("1.22.1-9".to_owned()),
        versions: vec!["1.22.1-9".to_owned()],
        ..Candidates::default()
    };
    host.put_candidates("nginx", candidates);
    let unit = UnitState {
        active: "inactive".to_owned(),
        file: "disabled".to_owned(),
        need_reload: false,
        can_reload: true,
    };
    host.put_unit("nginx.service", unit);
    host
}

/// A web server: package, user, directory, two files of which one notifies the service, a command on notification.
pub fn web() -> Catalog {
    let nodes = vec![
        node("package.nginx", json!({})),
        node("group.deploy", json!({})),
        node("user.deploy", json!({ "group": "deploy" })),
        node("directory./srv/www", json!({ "owner": "deploy", "group": "deploy" })),
        node("file./srv/www/index.html", json!({ "content": "hello\n", "owner": "deploy" })),
        node("file./etc/site.conf", json!({ "content": "server {}\n" })),
        node("exec.reindex", json!({ "command": ["/usr/bin/reindex"], "refresh_only": true })),
        node("service.nginx", json!({ "running": true, "enabled": true })),
    ];
    let edges = vec![
        edge(1, 2, EdgeKind::Require),
        edge(2, 3, EdgeKind::Require),
        edge(3, 4, EdgeKind::Require),
        edge(0, 5, EdgeKind::Require),
        edge(4, 6, EdgeKind::Notify),
        edge(5, 7, EdgeKind::Notify),
    ];
    Catalog::new(nodes, edges).expect("a sound catalog")
}

pub fn node(id: &str, params: Value) -> Node {
    let id = Id::parse(id).expect("kind.name");
    Node { id, origins: Vec::new(), params, common: model::Common::default() }
}

pub fn edge(from: usize, to: usize, kind: EdgeKind) -> Edge {
    Edge { from, to, kind, because: "the test".to_owned() }
}

/// One run: what it ended with, the plan it had, and what its journal amounts to.
pub struct Ran {
    pub outcome: Outcome,
    pub plan: Plan,
    pub status: Status,
    pub records: u64,
}

impl Ran {
    pub fn ended(&self, catalog: &Catalog, id: &str) -> NodeStatus {
        let at = catalog.nodes().iter().position(|node| node.id.to_string() == id);
        self.outcome.nodes[at.expect("the node")]
    }
}

/// Plans and runs `catalog` on `host`; `owed` is what an earlier run left.
pub fn converge(host: &dyn System, catalog: &Catalog, faults: Faults, owed: BTreeSet<Owed>) -> Ran {
    converge_with(host, (catalog, Choice::default()), (faults, None), owed)
}

/// The same for a choice of the nodes.
pub fn converge_some(
    host: &dyn System,
    chosen: (&Catalog, Choice),
    faults: Faults,
    owed: BTreeSet<Owed>,
) -> Ran {
    converge_with(host, chosen, (faults, None), owed)
}

/// The same, with the way back from a reboot.
pub fn converge_with(
    host: &dyn System,
    (catalog, choice): (&Catalog, Choice),
    (faults, comeback): (Faults, Option<&dyn Comeback>),
    owed: BTreeSet<Owed>,
) -> Ran {
    let graph = Graph::load(catalog, &Secrets::default(), agent::kinds::LIVE).expect("known kinds");
    let plan = forecast(&graph, host, &choice, &owed, &NoBlobs).expect("a plan");
    let (keep, stop) = (MemoryKeep::default(), AtomicBool::new(false));
    let mut log = MemoryLog::new(faults);
    let place = Host { system: host, keep: &keep, sink: &NoSink, comeback, stop: &stop, faults };
    let outcome = run(&graph, (&plan, &choice), &place, &mut log, (1, owed.clone()));
    let records = log.records.len() as u64;
    let begin = model::Record::Begin(model::Begin::default());
    let carried = owed.into_iter().map(model::Record::Owed);
    let status = Status::of(std::iter::once(begin).chain(carried).chain(log.records));
    Ran { outcome, plan, status: status.expect("records in order"), records }
}

/// A run without faults that nothing was owed to.
pub fn apply(host: &Layer<'_>, catalog: &Catalog) -> Ran {
    converge(host, catalog, Faults::default(), BTreeSet::new())
}
