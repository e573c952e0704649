//! How many faults a test tried, for the table of `cargo xtask faults`, and whether it is to try them all.

use std::fs::OpenOptions;
use std::io::Write;

/// True where everything is to be tried, and not a sample.
pub fn is_full() -> bool {
    std::env::var_os("KEEL_FAULTS").is_some_and(|value| value == "full")
}

/// Tells who asked that `count` faults of `id` were tried.
pub fn tell(id: &str, what: &str, count: u64) {
    let Some(path) = std::env::var_os("KEEL_FAULTS_COUNTS") else { return };
    let file = OpenOptions::new().append(true).create(true).open(path);
    let line = format!("{id}\t{what}\t{count}\n");
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the counts are written");
}
