//! Power cuts in a virtual machine, more of them with `cargo xtask power`; and its clock.

use std::path::PathBuf;
use xtask::power::{Cuts, cut, jump};

/// Few enough for every change; the seed is fixed, so that a red test stays red.
const EACH_TIME: Cuts = Cuts { count: 4, seed: 20_261_121 };

#[test]
fn a_power_cut_leaves_old_or_new_and_the_next_run_ends_it_needs_root() {
    let dir = tempfile::tempdir().unwrap();
    cut(&keel(), dir.path(), EACH_TIME).unwrap_or_else(|error| panic!("{error:#}"));
}

#[test]
fn a_clock_that_jumps_a_day_changes_nothing_needs_root() {
    let dir = tempfile::tempdir().unwrap();
    jump(&keel(), dir.path()).unwrap_or_else(|error| panic!("{error:#}"));
}

fn keel() -> PathBuf {
    std::env::var_os("KEEL_BIN").map(PathBuf::from).expect("cargo xtask test says where keel is")
}
