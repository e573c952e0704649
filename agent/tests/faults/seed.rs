//! What is random, or a sample, and can be repeated.

/// Seeds the choice of a sample; `KEEL_FAULTS_SEED` repeats one.
pub fn seed() -> u64 {
    let said = std::env::var("KEEL_FAULTS_SEED").ok();
    said.map_or(1, |text| text.parse().expect("KEEL_FAULTS_SEED is a number"))
}
