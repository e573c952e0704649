//! What several kinds have in common, a file for each thing: owner and mode, names, durations, what stands at a path.
//!
//! Nothing here is a kind, and nothing here changes a host. `kinds` build on it.

pub mod attributes;
pub mod boot_values;
pub mod copied;
pub mod duration;
pub mod ensure;
pub mod follow;
pub mod fstab;
pub mod many;
pub mod members;
pub mod mode;
pub mod mounting;
pub mod pattern;
pub mod place;
pub mod reach;
pub mod tree;
