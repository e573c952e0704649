//! What `validate` found fine, host by host.

use super::out::{line, note};
use super::words::counted;
use crate::format::Format;
use std::collections::BTreeMap;

/// The hosts by how they compile. A machine that is in no inventory has an empty name.
#[derive(Debug, Default)]
pub struct Valid {
    /// Name, resources, edges.
    pub fine: Vec<(String, usize, usize)>,
    /// Names.
    pub broken: Vec<String>,
}

/// Shows them; what was wrong has been shown.
pub fn show(valid: &Valid, format: Format) {
    match format {
        Format::Json => valid.fine.iter().for_each(|one| line(&json(one))),
        Format::Human => human(valid),
    }
}

fn json((host, nodes, edges): &(String, usize, usize)) -> String {
    let host = Some(host).filter(|host| !host.is_empty());
    serde_json::json!({ "event": "valid", "host": host, "nodes": nodes, "edges": edges }).to_string()
}

fn human(valid: &Valid) {
    let mut groups: BTreeMap<(usize, usize), Vec<&str>> = BTreeMap::new();
    for (host, nodes, edges) in &valid.fine {
        groups.entry((*nodes, *edges)).or_default().push(host);
    }
    for ((nodes, edges), hosts) in groups {
        let sizes = format!("{}, {}", counted(nodes, "resource"), counted(edges, "edge"));
        let hosts = hosts.join(", ");
        line(&if hosts.is_empty() { format!("fine: {sizes}") } else { format!("fine: {hosts}: {sizes}") });
    }
    let named: Vec<&str> = valid.broken.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    if !named.is_empty() {
        note(&format!("not fine: {}", named.join(", ")));
    }
    if valid.fine.iter().any(|(host, ..)| !host.is_empty()) {
        note("note: compiled with the facts of this machine, in place of each host's own");
    }
}
