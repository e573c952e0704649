//! Against the real OpenSSH: its `ssh -G`, its `ssh-keygen`, its sshd.

#[path = "../support/sshd.rs"]
mod sshd;
mod sshd_needs_root;
