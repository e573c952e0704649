//! What a node needs done, with what is the engine's own: the reload of the service manager.

use super::graph::Vertex;
use crate::parts::fstab::FSTAB;
use crate::system::System;
use model::{Failure, Op, Step, Thing};
use std::path::Path;

/// Directories of unit files, from systemd.unit(5), and what units of mounts are made from (systemd-fstab-generator(8)): a change of them or
/// below them needs a daemon-reload.
const UNIT_FILES: [&str; 3] = ["/etc/systemd/system", "/run/systemd/system", FSTAB];

/// Probes the node and decides.
pub(super) fn decide(vertex: &Vertex<'_>, system: &dyn System) -> Result<Vec<Step>, Failure> {
    let mut steps = vertex.resource.plan(system)?;
    if steps.iter().any(|step| touches_unit_files(&step.op)) {
        steps.push(Step::new(Op::ReloadManager));
    } else if let Some(name) = stale_unit(vertex, system)? {
        steps.insert(
            0,
            Step::new(Op::ReloadManager).because("unit files", format!("{name} changed on disk"), "read"),
        );
    }
    Ok(steps)
}

/// The unit of the node, where the service manager has not read its files since they changed: an earlier run, or
/// somebody else, was cut off before the reload.
fn stale_unit(vertex: &Vertex<'_>, system: &dyn System) -> Result<Option<String>, Failure> {
    for thing in &vertex.things {
        if let Thing::Unit(name) = thing
            && system.unit(name)?.is_some_and(|unit| unit.need_reload)
        {
            return Ok(Some(name.clone()));
        }
    }
    Ok(None)
}

/// True where the op changes what the service manager has read.
pub fn touches_unit_files(op: &Op) -> bool {
    let (Op::WriteFile { path, .. } | Op::Remove { path } | Op::MakeSymlink { path, .. }) = op else {
        return false;
    };
    UNIT_FILES
        .iter()
        .any(|at| path.as_path().starts_with(at) && (path.as_path() != Path::new(at) || *at == FSTAB))
}
