//! The whole program on scratch directories: exit codes, what is printed, what is written and what is not.
#![expect(clippy::disallowed_methods, reason = "runs the program and writes scratch files")]

mod budget;
mod command_line;
mod inventory;
mod needs_root;
mod scratch;
