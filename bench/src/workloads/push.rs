//! W3: what W2 asks for, pushed over SSH to hosts that are as they are to be.

use super::{Floor, Most, Peers, Place, Scale, Workload, mixed};
use crate::state::State;

/// To one host and to ten, with and without a delay; and to forty.
pub fn all(scale: Scale) -> Vec<Workload> {
    let mut found = vec![
        Workload { most: Most::Ratio(1.25), ..push("W3", Place::Laptop { hosts: 1, delay: 0 }) },
        Workload {
            most: Most::RoundTrips(50, 2.0),
            peers: Peers::Not,
            ..push("W3-50ms", Place::Laptop { hosts: 1, delay: 50 })
        },
        Workload { most: Most::Seconds(0.05), peers: Peers::Not, ..push("W3-again", Place::Kept) },
        Workload { most: Most::Ratio(1.25), ..push("W3-10", Place::Laptop { hosts: 10, delay: 0 }) },
    ];
    if scale == Scale::Full {
        let forty = Place::Laptop { hosts: 40, delay: 0 };
        found.push(Workload { memory: Some(150.0), peers: Peers::Not, ..push("W3-40", forty) });
        let delayed = Place::Laptop { hosts: 10, delay: 50 };
        found.push(Workload {
            most: Most::RoundTrips(50, 2.0),
            peers: Peers::Not,
            ..push("W3-10-50ms", delayed)
        });
    }
    found
}

fn push(id: &'static str, place: Place) -> Workload {
    let (what, small) = match place {
        Place::Laptop { hosts: 1, delay: 0 } => ("W2 pushed to one host".to_owned(), false),
        Place::Laptop { hosts, delay: 0 } => (format!("W2 pushed to {hosts} hosts"), hosts > 20),
        Place::Laptop { hosts, delay } => {
            (format!("W2 pushed to {hosts} with {delay} ms of round-trip time"), false)
        }
        _ => ("W2 pushed again over a kept connection".to_owned(), false),
    };
    // So many hosts have no systemd.
    let state = if small { State { units: Vec::new(), ..mixed::state() } } else { mixed::state() };
    let what = if small { what + ", without its units" } else { what };
    Workload {
        place,
        fixture: if small {
            format!("printf '# settings\\n' >{}.conf", mixed::TREE)
        } else {
            mixed::fixture()
        },
        floors: vec![Floor::new("ssh HOST true", &["true"])],
        ..Workload::new(id, what, state)
    }
}
