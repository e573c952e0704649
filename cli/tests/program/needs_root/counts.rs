//! How many faults a test tried, for the table of `cargo xtask faults`, and which of them a run of the suite samples.

use std::fs::OpenOptions;
use std::io::Write;

/// True where everything is to be tried, and not a sample.
pub fn is_full() -> bool {
    std::env::var_os("KEEL_FAULTS").is_some_and(|value| value == "full")
}

/// Takes all where everything is to be tried, and else one in so many, begun at a place that the seed chooses.
pub struct Sample {
    step: u64,
    next: u64,
}

impl Sample {
    /// One in `step`. Says the seed, which a failure shows.
    pub fn new(id: &str, step: u64) -> Self {
        let said = std::env::var("KEEL_FAULTS_SEED").ok();
        let seed: u64 = said.map_or(1, |text| text.parse().expect("KEEL_FAULTS_SEED is a number"));
        let mut err = std::io::stderr();
        writeln!(err, "{id}: KEEL_FAULTS_SEED={seed}").expect("somebody listens");
        let step = if is_full() { 1 } else { step };
        Self { step, next: seed % step }
    }

    /// Whether the next one is taken.
    pub fn takes(&mut self) -> bool {
        let takes = self.next == 0;
        self.next = if takes { self.step - 1 } else { self.next - 1 };
        takes
    }
}

/// Tells who asked that `count` faults of `id` were tried.
pub fn tell(id: &str, what: &str, count: u64) {
    let Some(path) = std::env::var_os("KEEL_FAULTS_COUNTS") else { return };
    let file = OpenOptions::new().append(true).create(true).open(path);
    let line = format!("{id}\t{what}\t{count}\n");
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the counts are written");
}
