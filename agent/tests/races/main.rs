//! A user of the host swaps what stands in a directory of his, as fast as he can, while root brings it to its desired state: nothing
//! outside of it may change, and nothing from outside may come in. Needs root and perl(1), which Debian always has.

#![cfg(target_os = "linux")]

#[path = "../faults/counts.rs"]
mod counts;
mod needs_root;
