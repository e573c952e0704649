//! Holds what the compiler made of a test against what is expected, and says at the place of each expectation what there was instead.

use crate::outcome::Fault;
use crate::unit::attributes;
use crate::unit::edges;
use crate::unit::expect::Expect;
use dsl::{Compiled, Extent, Loader, Source};
use model::{Catalog, Diagnostic, Id, KindInfo, Node, Severity};
use std::sync::Arc;

/// Longest list of what there is instead.
const MOST: usize = 8;

/// What judging takes.
pub struct Judge<'a> {
    /// The file of tests.
    pub source: &'a Arc<Source>,
    /// Where the test stands.
    pub at: Extent,
    /// For contents that stand in files.
    pub loader: &'a dyn Loader,
    /// The kinds there are.
    pub kinds: &'a [&'a dyn KindInfo],
}

impl Judge<'_> {
    /// All that is not as expected.
    pub fn faults(&self, expect: &Expect, compiled: Result<Compiled, Vec<Diagnostic>>) -> Vec<Fault> {
        match (&expect.error, compiled) {
            (Some((wanted, at)), Ok(compiled)) => {
                let count = compiled.catalog.nodes().len();
                let plural = if count == 1 { "" } else { "s" };
                vec![self.fault(*at, format!("no `{wanted}`: it compiles, to {count} resource{plural}"))]
            }
            (Some((wanted, at)), Err(found)) => self.other_error(wanted, *at, &found),
            (None, Err(found)) => found
                .iter()
                .filter(|one| one.severity == Severity::Error)
                .map(|one| self.error(one))
                .collect(),
            (None, Ok(compiled)) => self.catalog(expect, &compiled),
        }
    }

    fn fault(&self, at: Extent, message: String) -> Fault {
        Fault { origin: self.source.origin(at), message }
    }

    fn other_error(&self, wanted: &str, at: Extent, found: &[Diagnostic]) -> Vec<Fault> {
        if found.iter().any(|one| one.code == wanted || one.message.contains(wanted)) {
            return Vec::new();
        }
        let there: Vec<String> = found.iter().take(MOST).map(told).collect();
        vec![self.fault(at, format!("no `{wanted}`; there is {}", there.join("; ")))]
    }

    /// An error that nobody expects: at the test's own place, since the expectation is that there is none.
    fn error(&self, found: &Diagnostic) -> Fault {
        let help = found.help.iter().map(|help| format!(": {help}")).collect::<String>();
        self.fault(self.at, format!("does not compile: {}{help}", told(found)))
    }

    fn catalog(&self, expect: &Expect, compiled: &Compiled) -> Vec<Fault> {
        let catalog = &compiled.catalog;
        let mut faults = Vec::new();
        for (id, at) in &expect.resources {
            if catalog.position(id).is_none() {
                faults.push(self.fault(*at, missing(catalog, id)));
            }
        }
        for (id, at) in &expect.absent {
            if let Some(node) = node(catalog, id) {
                faults.push(self.fault(*at, format!("{id} is there{}", declared(node))));
            }
        }
        for (edge, at) in &expect.edges {
            faults.extend(edges::fault(catalog, edge).map(|message| self.fault(*at, message)));
        }
        let values = attributes::Values { compiled, loader: self.loader, kinds: self.kinds };
        for attribute in &expect.attributes {
            let message = match node(catalog, &attribute.id) {
                Some(node) => values.fault(node, attribute),
                None => Some(missing(catalog, &attribute.id)),
            };
            faults.extend(message.map(|message| self.fault(attribute.at, message)));
        }
        faults
    }
}

/// One error in a line, with its place.
fn told(found: &Diagnostic) -> String {
    let place = found.labels.first().map(|label| format!(" ({})", label.span.origin())).unwrap_or_default();
    format!("{}: {}{place}", found.code, found.message)
}

fn node<'a>(catalog: &'a Catalog, id: &Id) -> Option<&'a Node> {
    catalog.position(id).and_then(|at| catalog.nodes().get(at))
}

/// Where a resource was declared, in brackets.
pub(super) fn declared(node: &Node) -> String {
    node.origins.first().map(|origin| format!(" ({origin})")).unwrap_or_default()
}

/// What is said of a resource that is not there: the one that was meant, or those of its kind.
pub(super) fn missing(catalog: &Catalog, id: &Id) -> String {
    let ids: Vec<String> = catalog.by_id().map(|node| node.id.to_string()).collect();
    let near = dsl::advice(&id.to_string(), ids.iter().map(String::as_str))
        .filter(|advice| advice.starts_with("did"));
    let instead = near.unwrap_or_else(|| {
        let kind: Vec<String> = catalog
            .by_id()
            .filter(|node| node.id.kind() == id.kind())
            .map(|node| node.id.to_string())
            .collect();
        match kind.len() {
            0 => format!("there is no {} at all", id.kind()),
            1..=MOST => format!("there is {}", kind.join(", ")),
            more => format!("there is {} and {} more", kind[..MOST].join(", "), more - MOST),
        }
    });
    format!("{id} is not there; {instead}")
}
