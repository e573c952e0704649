//! Against the real OpenSSH: its `ssh -G`, its `ssh-keygen`, its sshd.
#![expect(clippy::disallowed_methods, reason = "tests write scratch files and start programs")]

mod config;
mod known_hosts;
#[path = "../support/sshd.rs"]
mod sshd;
mod sshd_needs_root;
mod verdicts_needs_root;
