//! Many files of 1 KiB, as they are to be: W1, and W6 for more of them.

use super::{Floor, Most, Peers, Scale, Workload};
use crate::state::{Directory, File, State};

/// 1,000, 10,000 and 100,000.
pub fn all(scale: Scale) -> Vec<Workload> {
    let mut found = vec![files("W1", 1_000, Some(25.0)), files("W6", 10_000, None)];
    if scale == Scale::Full {
        // Peers take longer for 10,000 than most have patience.
        found.push(Workload { peers: Peers::Not, ..files("W6-100k", 100_000, Some(250.0)) });
    }
    found
}

fn files(id: &'static str, count: usize, memory: Option<f64>) -> Workload {
    let tree = format!("/srv/{id}");
    let file = |number: usize| File {
        path: format!("{tree}/f{number:06}"),
        content: text(number),
        owner: "root".to_owned(),
        mode: "0640".to_owned(),
    };
    let directory = Directory { path: tree.clone(), owner: "root".to_owned(), mode: "0755".to_owned() };
    let state =
        State { directories: vec![directory], files: (0..count).map(file).collect(), ..State::default() };
    Workload {
        floors: vec![Floor::program("stat, read, hash", &["read", &tree])],
        most: Most::Ratio(1.5),
        memory,
        ..Workload::new(id, format!("{} files of 1 KiB, nothing to do, on the host", thousands(count)), state)
    }
}

/// 1 KiB that no other file has.
fn text(number: usize) -> String {
    let head = format!("# file {number:06}\n");
    let line = format!("{}\n", "x".repeat(63));
    let mut text = head + &line.repeat(15);
    text.push_str(&"y".repeat(1023 - text.len()));
    text.push('\n');
    text
}

fn thousands(count: usize) -> String {
    format!("{},000", count / 1000)
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn a_file_has_a_kibibyte_of_its_own() {
        assert_eq!([text(1).len(), text(99_999).len()], [1024, 1024]);
        assert_ne!(text(1), text(2));
    }
}
