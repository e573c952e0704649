//! The whole program pushing to hosts: real sshds on loopback, each with a state directory and a `/srv` of its own.
#![expect(clippy::disallowed_methods, reason = "sets up hosts, and runs the program")]

mod hosts;
mod needs_root;
