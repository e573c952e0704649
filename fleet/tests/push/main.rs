//! A push as a whole, from connections to last words, against shells, tools and agents that the tests bring: each dead end with
//! its words.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![expect(
    clippy::disallowed_methods,
    reason = "tests set up their own directories and start their own programs"
)]

mod adrift;
mod confirmed;
mod elevation;
mod first;
mod fleet_of;
mod host;
mod hostile;
mod login;
mod lost;
mod mounts_needs_root;
mod planted;
mod program;
mod scripted;
mod shell;
mod spare;
#[path = "../support/sshd.rs"]
mod sshd;
mod sshd_needs_root;
mod talk;
mod told;
mod upload;
mod world;
