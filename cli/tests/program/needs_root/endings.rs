//! How a run ends: its exit code, and the last line of its events.

use crate::scratch::{Ran, Scratch};
use rustix::fs::{FlockOperation, flock};
use std::fs;

const SITE: &str = "[file.\"HOST/a\"]\ncontent = \"a\"\n";
const FAILING: &str =
    "[exec.no]\ncommand = [\"false\"]\n[file.\"HOST/a\"]\ncontent = \"a\"\nrequire = [\"exec.no\"]\n";

/// The report that the last line is; every line before it is an event of its own.
#[track_caller]
fn report(ran: &Ran) -> [u64; 5] {
    let events = ran.events();
    let (last, rest) = events.split_last().expect("events");
    assert!(last["event"] == "report" && rest.iter().all(|event| event["event"] != "report"), "{ran:?}");
    let numbers = events.iter().map(|event| event["seq"].as_u64());
    assert!(numbers.eq((0..events.len() as u64).map(Some)), "{ran:?}");
    ["changed", "unchanged", "failed", "skipped", "unknown"].map(|key| last[key].as_u64().expect("a number"))
}

#[track_caller]
fn assert_ends(ran: &Ran, code: i32, expected: [u64; 5]) {
    assert_eq!((ran.code, report(ran)), (code, expected), "{ran:?}");
}

#[test]
fn each_ending_has_its_code_and_its_report() {
    let scratch = Scratch::of(SITE);
    let json = ["--format", "json"];
    let yes = ["--format", "json", "--yes"];
    assert_ends(&scratch.keel("plan", &json), 2, [1, 0, 0, 0, 0]);
    assert_ends(&scratch.keel("apply", &yes), 0, [1, 0, 0, 0, 0]);
    assert_ends(&scratch.keel("apply", &yes), 0, [0, 1, 0, 0, 0]);
    assert_ends(&scratch.keel("plan", &json), 0, [0, 1, 0, 0, 0]);
    assert_ends(&scratch.keel("rollback", &["--plan", "--format", "json"]), 2, [1, 0, 0, 0, 0]);
    assert_ends(&scratch.keel("rollback", &yes), 0, [1, 0, 0, 0, 0]);
    assert_ends(&scratch.keel("rollback", &["9", "--yes", "--format", "json"]), 1, [0, 0, 0, 0, 0]);
    scratch.site(FAILING);
    assert_ends(&scratch.keel("apply", &yes), 1, [0, 0, 1, 1, 0]);
    scratch.site("[file]\nx");
    let ran = scratch.keel("apply", &yes);
    assert!(ran.code == 3 && ran.events().iter().all(|event| event["event"] == "diagnostic"), "{ran:?}");
}

#[test]
fn a_host_that_another_run_has_is_left_alone() {
    let scratch = Scratch::of(SITE);
    scratch.fine("apply", &["--yes"]);
    let lock = fs::File::open(scratch.state("lock")).expect("a lock");
    flock(&lock, FlockOperation::LockExclusive).expect("it is free");
    fs::write(scratch.host("a"), "b").expect("written");
    for verb in ["apply", "rollback"] {
        let ran = scratch.keel(verb, &["--yes"]);
        assert!(ran.code == 6 && ran.out.is_empty(), "{ran:?}");
        assert!(ran.err.contains("error: another run has this host: run 1, apply --local"), "{ran:?}");
    }
    let ran = scratch.keel("apply", &["--yes", "--format", "json"]);
    assert_ends(&ran, 6, [0, 0, 0, 0, 1]);
    assert_eq!(fs::read(scratch.host("a")).expect("it is there"), b"b");
    drop(lock);
    scratch.fine("apply", &["--yes"]);
}

#[test]
fn every_event_stands_in_the_reference() {
    let reference = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/events.md");
    let reference = fs::read_to_string(reference).expect("the reference");
    let scratch = Scratch::of(FAILING);
    for (verb, more) in [("plan", &[][..]), ("apply", &["--yes"]), ("rollback", &["7", "--yes"])] {
        for event in scratch.keel(verb, &[more, &["--format", "json"]].concat()).events() {
            let name = event["event"].as_str().expect("a name");
            assert!(reference.contains(&format!("\n## {name}\n")), "{name}");
            for field in event.as_object().expect("a table").keys() {
                assert!(reference.contains(&format!("`{field}")), "{name}: {field}");
            }
        }
    }
}

#[test]
fn the_log_of_a_run_is_what_was_printed() {
    let scratch = Scratch::of(SITE);
    let ran = scratch.fine("apply", &["--yes", "--format", "json"]);
    let log = fs::read_to_string(scratch.state("runs/000001/events")).expect("a log");
    assert_eq!(log, ran.out);
}
