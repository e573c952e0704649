//! In which order units are evaluated: inputs from the user of a module to the module, resources the other way round.

use crate::document::{Item, Value};
use crate::findings::Findings;
use crate::parts::Use;
use crate::project::Project;
use crate::unit::Name;
use model::Diagnostic;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// The order in which inputs are evaluated: a module after all that use it, and after those whose outputs its inputs
/// name. `None` and told where there is none.
pub fn inputs_order(project: &Project, findings: &mut Findings) -> Option<Vec<usize>> {
    let count = project.units.len();
    let mut after: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
    for (user, unit) in project.units.iter().enumerate() {
        for one in &unit.parts.uses {
            let Some(used) = used(project, one) else { continue };
            after[user].insert(used);
            for name in one.inputs.iter().flat_map(|entry| mentions(&entry.item)) {
                let mentioned = project.find(&Name::Module(name)).filter(|mentioned| *mentioned != used);
                if let Some(mentioned) = mentioned {
                    after[mentioned].insert(used);
                }
            }
        }
    }
    let mut waits = vec![0usize; count];
    after.iter().flatten().for_each(|at| waits[*at] += 1);
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..count).filter(|at| waits[*at] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(at)) = ready.pop() {
        order.push(at);
        for next in &after[at] {
            waits[*next] -= 1;
            if waits[*next] == 0 {
                ready.push(Reverse(*next));
            }
        }
    }
    if order.len() < count {
        tell_cycle(project, &order, findings);
        return None;
    }
    Some(order)
}

/// The order in which resources are declared: what a unit includes and uses, then its own.
pub fn resources_order(project: &Project) -> Vec<usize> {
    let mut order = Vec::with_capacity(project.units.len());
    let mut seen = BTreeSet::new();
    for start in 0..project.units.len() {
        // Depth first without recursion: a chain of modules may be long.
        let mut stack = vec![(start, false)];
        while let Some((at, done)) = stack.pop() {
            if done {
                order.push(at);
                continue;
            }
            if !seen.insert(at) {
                continue;
            }
            stack.push((at, true));
            let Some(unit) = project.units.get(at) else { continue };
            let included =
                unit.parts.include.iter().filter_map(|(name, _)| project.find(&Name::Role(name.clone())));
            let used = unit.parts.uses.iter().filter_map(|one| used(project, one));
            let mut first: Vec<usize> = included.chain(used).collect();
            first.reverse();
            stack.extend(first.into_iter().map(|at| (at, false)));
        }
    }
    order
}

/// True where role `outer` includes role `inner`, at any depth.
pub fn includes(project: &Project, outer: usize, inner: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut stack = vec![outer];
    while let Some(at) = stack.pop() {
        for (name, _) in project.units.get(at).iter().flat_map(|unit| &unit.parts.include) {
            match project.find(&Name::Role(name.clone())) {
                Some(found) if found == inner => return true,
                Some(found) if seen.insert(found) => stack.push(found),
                _ => {}
            }
        }
    }
    false
}

/// The uses of each unit, with who uses it, in the order of the text.
pub fn users(project: &Project) -> Vec<Vec<(usize, &Use)>> {
    let mut users = vec![Vec::new(); project.units.len()];
    for (user, unit) in project.units.iter().enumerate() {
        for one in &unit.parts.uses {
            if let Some(list) = used(project, one).and_then(|used| users.get_mut(used)) {
                list.push((user, one));
            }
        }
    }
    users
}

/// Position of the unit that a use makes.
pub fn used(project: &Project, one: &Use) -> Option<usize> {
    project.find(&Name::Module(one.name.clone()))
}

/// Names of modules whose outputs a value mentions, as in `{{ modules.nginx.root }}`.
fn mentions(item: &Item) -> Vec<String> {
    match &item.value {
        Value::Text(text) if text.contains("{{") => {
            let name = |rest: &str| {
                let end = rest.find(|one: char| !(one.is_ascii_alphanumeric() || matches!(one, '-' | '_')));
                rest.get(..end.unwrap_or(rest.len())).unwrap_or("").to_owned()
            };
            text.split("modules.").skip(1).map(name).collect()
        }
        Value::Array(items) => items.iter().flat_map(mentions).collect(),
        Value::Table(table) => table.entries.iter().flat_map(|entry| mentions(&entry.item)).collect(),
        _ => Vec::new(),
    }
}

fn tell_cycle(project: &Project, order: &[usize], findings: &mut Findings) {
    let left = |at: usize| !order.contains(&at);
    let mut labels = Vec::new();
    for (at, unit) in project.units.iter().enumerate().filter(|(at, _)| left(*at)) {
        for one in unit.parts.uses.iter().filter(|one| used(project, one).is_some_and(left)) {
            labels.push((
                unit.source.span(one.at),
                format!("{} needs {}", project.units[at].name, Name::Module(one.name.clone())),
            ));
        }
    }
    let mut labels = labels.into_iter();
    let Some((span, text)) = labels.next() else { return };
    let diagnostic = Diagnostic::error("module-cycle", "modules use each other", span).at(text);
    let diagnostic = labels.fold(diagnostic, |diagnostic, (span, text)| diagnostic.and(span, text));
    findings.push(diagnostic.help("leave out one of these uses, or pass what is needed as an input"));
}
