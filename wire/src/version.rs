//! Which version of the protocol two sides speak, and how often they do. It must not guess: what is no common version is a refusal.

use std::time::Duration;

/// The version that this build speaks best. It speaks the one before it as well.
pub const VERSION: u32 = 1;

/// A side that has said nothing for so long says `Alive`.
pub const ALIVE_EVERY: Duration = Duration::from_secs(10);

/// A side that has heard nothing for so long gives the other up. A host does so before the commit point only, and declines.
pub const SILENCE: Duration = Duration::from_secs(45);

/// The version that two sides have in common, where each speaks its own and the one before; `None` where they are further apart.
/// There is no version 0.
pub fn common(ours: u32, theirs: u32) -> Option<u32> {
    (ours.abs_diff(theirs) <= 1).then(|| ours.min(theirs)).filter(|spoken| *spoken > 0)
}

#[cfg(test)]
mod tests {
    use super::common;

    #[test]
    fn one_version_apart_is_spoken_to_and_more_is_not() {
        for (ours, theirs, spoken) in [
            (3, 3, Some(3)),
            (3, 4, Some(3)),
            (4, 3, Some(3)),
            (3, 5, None),
            (5, 3, None),
            (1, 0, None),
            (1, u32::MAX, None),
        ] {
            assert_eq!(common(ours, theirs), spoken);
        }
    }
}
