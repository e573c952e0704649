//! Connections to hosts: one trait, a file for each transport.

mod access;
mod connect;
mod dial;
mod keep;
mod key_file;
mod keyring;
mod openssh;
mod openssh_argv;
mod openssh_log;
mod openssh_pipe;
mod pipe;
mod pulse;
mod spare;
mod spawned;
mod ssh2_flow;
mod ssh2_jump;
mod ssh2_link;
mod ssh2_login;
mod ssh2_open;
mod ssh2_pipe;
mod ssh2_remote;
mod unsuited;

pub use access::{Access, Passwords, Prompts, Transport};
pub use connect::connect;
pub use keep::{Keep, Keeper};
pub use keyring::Keyring;
pub use pipe::{Pipe, Received, Remote};
pub use spare::{Spare, Taken};
pub use spawned::Spawned;
