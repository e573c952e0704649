//! Our transport against real sshds on loopback.

mod needs_root;
#[path = "../support/sshd.rs"]
mod sshd;
