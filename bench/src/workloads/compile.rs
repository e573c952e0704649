//! W8: compiling alone, nothing is observed.

use super::{Most, Peers, Place, Scale, Workload, mixed};
use crate::state::{File, State};

/// 5,000 resources for one host; 500 hosts of 200.
pub fn all(_: Scale) -> Vec<Workload> {
    let one = Workload {
        place: Place::Compile { hosts: 1 },
        most: Most::Seconds(0.15),
        peers: Peers::Not,
        ..Workload::new("W8", "5,000 resources compiled for one host", of(5_000))
    };
    let many = Workload {
        place: Place::Compile { hosts: 500 },
        most: Most::Seconds(4.0),
        memory: Some(500.0),
        peers: Peers::Not,
        ..Workload::new("W8-500", "200 resources compiled for each of 500 hosts", of(200))
    };
    vec![one, many]
}

/// A tenth of each of some kinds, the rest are files.
fn of(count: usize) -> State {
    let mut state = State { packages: Vec::new(), units: Vec::new(), ..mixed::state() };
    state.templated.truncate(count / 10);
    let others = state.groups.len()
        + state.users.len()
        + state.directories.len()
        + state.templated.len()
        + state.symlinks.len()
        + state.lines.len();
    let file = |number: usize| {
        File::of_root(format!("{}/d01/f{number:05}", mixed::TREE), format!("number = {number}\n"))
    };
    state.files = (0..count - others).map(file).collect();
    state
}
