//! The transports, against real sshds on loopback and against listeners that are none.

mod dead_ends;
mod door;
mod needs_root;
mod openssh_needs_root;
#[path = "../support/sshd.rs"]
mod sshd;
