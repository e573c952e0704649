//! Names of boxes. They must be words of any program that makes some: letters, digits and hyphens.

use std::sync::atomic::{AtomicU32, Ordering};

/// What they begin with; the number of this process and that of the box follow.
pub const PREFIX: &str = "keel-box-";

/// Counts the boxes of this process.
static NEXT: AtomicU32 = AtomicU32::new(1);

/// One that no other box of this machine has.
pub fn next() -> String {
    format!("{PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
