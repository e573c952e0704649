//! `keel-agent serve` as a whole program, over pipes, on a directory that stands for a host.

#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "starts the program under test, and prepares scratch files")]

mod attach;
mod confirm;
mod contents;
mod conversation;
mod ends;
mod host;
mod keeping;
mod locks;
mod lone;
mod peer;
mod quiet;
mod secrets;
mod spare;
mod turns;
