//! The workloads: what a host is to be, where it is brought about, and what the floor under that is. A file each, and a word in `all`. They name no
//! tool. Next: `run`.

mod compile;
mod files;
mod many;
mod mixed;
mod push;
mod repair;
mod served;

use crate::state::State;
use serde::{Deserialize, Serialize};

/// What is measured.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Short and unique, such as `W1`; what `--only` takes.
    pub id: &'static str,
    /// What it is, for the table.
    pub what: String,
    /// What the hosts are to be.
    pub state: State,
    /// Where tools run.
    pub place: Place,
    /// Shell words that prepare each host once, before `state` is brought about the first time.
    pub fixture: String,
    /// Shell words that are done on the host before each run.
    pub before: String,
    /// Shell words that have to succeed on the host after each run.
    pub after: String,
    /// The port of the first host that answers at last, and what it says then: there the clock of tools stops.
    pub page: Option<(u16, String)>,
    /// What nobody can do without, the first is what ratios are of: programs on the host, or with hosts to push to, what `ssh` runs there.
    pub floors: Vec<Floor>,
    /// What keel is to cost at most.
    pub most: Most,
    /// What it may need at most, in MiB: the process on the host, or with hosts to push to, the one on the laptop.
    pub memory: Option<f64>,
    /// Whether peers take part.
    pub peers: Peers,
}

/// Where tools run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the host.
    Host,
    /// On the laptop, for so many hosts; with so many milliseconds more of round-trip time to them.
    Laptop {
        /// Hosts.
        hosts: usize,
        /// Milliseconds.
        delay: u64,
    },
    /// The same with one connection that is kept, to one host.
    Kept,
    /// On the laptop, which only looks what so many hosts are to be.
    Compile {
        /// Hosts.
        hosts: usize,
    },
}

/// A floor.
#[derive(Clone, Debug)]
pub struct Floor {
    /// Its name in the table.
    pub name: &'static str,
    /// The program, of `OPT` where its path begins so, and its arguments; empty for keel itself.
    pub argv: Vec<String>,
    /// True where it finds what the one before it left, and has nothing to do.
    pub follows: bool,
    /// True where it gets the agent as a push brings it: packed, as its standard input.
    pub brings: bool,
}

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Most {
    /// Times the first floor.
    Ratio(f64),
    /// Seconds.
    Seconds(f64),
    /// Milliseconds of a round trip, and so many of them more than the floor.
    RoundTrips(u64, f64),
    /// Of what keel takes more than with nothing to do, which is the last floor, times what the first floor takes more than a program
    /// that does nothing, which is the last but one.
    Change(f64),
    /// None is set.
    Open,
}

/// Whether peers take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peers {
    /// They do.
    Invited,
    /// Not in this one.
    Not,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scale {
    /// What ends within five minutes.
    Quick,
    /// All of it.
    Full,
}

/// Where the benchmark keeps its own programs on a host.
pub const OPT: &str = "/opt/bench";

/// All workloads of this scale, in the order of the table.
pub fn all(scale: Scale) -> Vec<Workload> {
    [files::all, mixed::all, push::all, served::all, repair::all, many::all, compile::all]
        .iter()
        .flat_map(|file| file(scale))
        .collect()
}

impl Workload {
    /// One on the host, with nothing to prepare and no limit.
    fn new(id: &'static str, what: impl Into<String>, state: State) -> Self {
        Self {
            id,
            what: what.into(),
            state,
            place: Place::Host,
            fixture: String::new(),
            before: String::new(),
            after: String::new(),
            page: None,
            floors: Vec::new(),
            most: Most::Open,
            memory: None,
            peers: Peers::Invited,
        }
    }

    /// How many hosts it needs.
    pub fn hosts(&self) -> usize {
        match self.place {
            Place::Host | Place::Kept => 1,
            Place::Laptop { hosts, .. } => hosts,
            Place::Compile { .. } => 0,
        }
    }
}

impl Floor {
    /// One that is done for itself.
    fn new(name: &'static str, argv: &[&str]) -> Self {
        let argv = argv.iter().map(|arg| (*arg).to_owned()).collect();
        Self { name, argv, follows: false, brings: false }
    }

    /// One of the program `floor`.
    fn program(name: &'static str, args: &[&str]) -> Self {
        let floor = format!("{OPT}/floor");
        Self::new(name, &[&[floor.as_str()], args].concat())
    }

    /// Two that a `Most::Change` goes by: a program that does nothing, and keel where nothing is to do.
    fn nothing(argv: &[&str]) -> [Self; 2] {
        [("nothing", argv), ("keel, nothing to do", &[])]
            .map(|(name, argv)| Self { follows: true, ..Self::new(name, argv) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Scale, all};
    use std::collections::BTreeSet;

    #[test]
    fn workloads_have_names_of_their_own_and_a_floor() {
        for scale in [Scale::Quick, Scale::Full] {
            let workloads = all(scale);
            let names: BTreeSet<_> = workloads.iter().map(|workload| workload.id).collect();
            assert_eq!(names.len(), workloads.len());
            for workload in &workloads {
                let floorless = matches!(workload.place, Place::Compile { .. });
                assert_eq!(workload.floors.is_empty(), floorless, "{}", workload.id);
            }
        }
    }

    #[test]
    fn the_quick_ones_are_among_all() {
        let full: BTreeSet<_> = all(Scale::Full).iter().map(|workload| workload.id).collect();
        assert!(all(Scale::Quick).iter().all(|workload| full.contains(workload.id)));
        assert!(all(Scale::Quick).len() < full.len());
    }
}
