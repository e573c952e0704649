//! What can be told of sealed secrets before a host is asked for its facts: names that are malformed, files that are not there, keys
//! that are missing. Whoever opens them asks for a passphrase then, and not while hosts wait. `sealed` opens them again when it compiles.

use crate::document::{Item, Value};
use crate::findings::Findings;
use crate::inputs::InputDecl;
use crate::layers;
use crate::project::Project;
use crate::request::Request;
use crate::sealed::{self, Opener};
use crate::sets::Set;
use crate::source::Source;
use crate::unit::Unit;
use crate::wiring;
use std::sync::Arc;

/// Looks at each secret that the host will be given, as far as that can be known.
pub fn look(project: &Project, (request, sets): (&Request<'_>, &[Set]), findings: &mut Findings) {
    let opener = Opener { request };
    for (at, unit) in project.units.iter().enumerate() {
        for decl in unit.parts.inputs.iter().filter(|decl| decl.kind.holds_secrets()) {
            if sets.iter().any(|set| set.unit == unit.name && set.input == decl.name) {
                continue;
            }
            for (source, item) in strongest(project, request, (at, unit, decl)) {
                let Some(taken) = sealed::taken(&decl.kind, item, source, findings) else { continue };
                for reference in &taken.references {
                    match opener.text(reference) {
                        Err(diagnostic) if is_certain(project, at) => findings.push(*diagnostic),
                        // Opened for the passphrase alone; or the facts may yet switch the module off.
                        _ => {}
                    }
                }
            }
        }
    }
}

/// What the strongest layer gives that says anything; of uses all of them.
fn strongest<'a>(
    project: &'a Project,
    request: &Request<'_>,
    (at, unit, decl): (usize, &'a Unit, &'a InputDecl),
) -> Vec<(&'a Arc<Source>, &'a Item)> {
    let of_inventory =
        layers::of_inventory(project, request).into_iter().rev().find_map(|(_, source, inputs)| {
            let table = inputs.iter().find(|entry| entry.key == unit.name.key())?;
            let Value::Table(table) = &table.item.value else { return None };
            Some((source, &table.get(&decl.name)?.item))
        });
    if let Some(found) = of_inventory {
        return vec![found];
    }
    let mut found = Vec::new();
    for user in &project.units {
        for one in user.parts.uses.iter().filter(|one| wiring::used(project, one) == Some(at)) {
            let given = one.inputs.iter().find(|entry| entry.key == decl.name);
            found.extend(given.map(|entry| (&user.source, &entry.item)));
        }
    }
    if found.is_empty() {
        found.extend(decl.default.as_ref().map(|item| (&unit.source, item)));
    }
    found
}

/// Whether the unit is on whatever the host says of itself.
fn is_certain(project: &Project, at: usize) -> bool {
    let is_plain = |unit: &Unit| unit.name.module().is_none();
    project.units.get(at).is_some_and(is_plain)
        || project.units.iter().filter(|unit| is_plain(unit)).any(|unit| {
            let uses = unit.parts.uses.iter().filter(|one| wiring::used(project, one) == Some(at));
            uses.into_iter().any(|one| one.common.iter().all(|entry| entry.key != "when"))
        })
}
