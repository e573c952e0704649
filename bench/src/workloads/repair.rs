//! W7: what W2 asks for, with 20 of its 200 files altered before each run. What the repair costs is what it takes more than a run that finds
//! nothing to do; the writes alone are what `floor write` takes more than a program that does nothing.

use super::{Floor, Most, Peers, Place, Scale, Workload, mixed};
use std::fmt::Write as _;

/// On the host, and pushed.
pub fn all(_: Scale) -> Vec<Workload> {
    let units: Vec<String> = mixed::state().units.into_iter().map(|unit| unit.name).collect();
    let mut both = vec!["repair", "/srv/W7-right", "/srv/W2/templated", mixed::TREE];
    both.extend(units.iter().map(String::as_str));
    let alone = ["write", "/srv/W7-right", "/srv/W2/templated"];
    let local = Workload {
        fixture: mixed::fixture() + &right(),
        before: altered(),
        after: "cd /srv/W7-right && for f in *; do cmp -s $f /srv/W2/templated/$f || exit 1; done".to_owned(),
        floors: [
            Floor::program("safe writes of the 20 alone", &alone),
            Floor::program("W2's floor, then safe writes", &both),
        ]
        .into_iter()
        .chain(Floor::nothing(&["/bin/true"]))
        .collect(),
        most: Most::Change(1.5),
        peers: Peers::Not,
        ..Workload::new("W7", "W2 with 20 of 200 files altered: repaired, on the host", mixed::state())
    };
    let mut pushed = Workload { id: "W7-push", ..local.clone() };
    pushed.what = "the same, pushed to one host".to_owned();
    pushed.place = Place::Laptop { hosts: 1, delay: 0 };
    pushed.floors.remove(1);
    pushed.floors[0].name = "safe writes of the 20, by ssh";
    pushed.floors[1].name = "ssh HOST sudo true";
    pushed.floors[..2].iter_mut().for_each(|floor| floor.argv.insert(0, "sudo".to_owned()));
    vec![local, pushed]
}

/// Each tenth file, as it is to be.
fn right() -> String {
    let mut script = "\nmkdir -p /srv/W7-right; cd /srv/W7-right".to_owned();
    for file in mixed::state().templated.iter().step_by(10) {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        write!(script, "\ncat >{name} <<'END'\n{}END", file.content()).expect("a String takes all");
    }
    script
}

/// Each time to something that no run has seen before: what an earlier run has kept of a file would not have to be kept once more.
fn altered() -> String {
    "at=$(date +%s%N); for f in /srv/W7-right/*; do echo altered $at >>/srv/W2/templated/${f##*/}; done; sync"
        .to_owned()
}
