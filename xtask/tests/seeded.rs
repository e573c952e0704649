//! The known bugs can still be put where they belong.

use std::collections::BTreeSet;

#[test]
fn each_bug_finds_its_place_once() {
    let bugs = xtask::seeded::all().expect("the list can be read");
    let names: BTreeSet<&str> = bugs.iter().map(|bug| bug.name.as_str()).collect();
    assert!(names.len() == bugs.len() && bugs.len() >= 16, "{names:?}");
    for bug in &bugs {
        let source = std::fs::read_to_string(xtask::cmd::workspace().join(&bug.file)).expect("a source");
        let with = bug.put_into(&source).unwrap_or_else(|error| panic!("{error}"));
        assert_ne!(with, source, "{}", bug.name);
    }
}
