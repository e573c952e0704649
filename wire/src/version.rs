//! Which version of the protocol two sides speak. It must not guess: what is no common version is a refusal.

/// The version that this build speaks best. It speaks the one before it as well.
pub const VERSION: u32 = 1;

/// The version that two sides have in common, where each speaks its own and the one before; `None` where they are further apart.
pub fn common(ours: u32, theirs: u32) -> Option<u32> {
    (ours.abs_diff(theirs) <= 1).then(|| ours.min(theirs))
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
            (1, u32::MAX, None),
        ] {
            assert_eq!(common(ours, theirs), spoken);
        }
    }
}
