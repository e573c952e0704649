//! Secrets at rest, through the program: sealing them, opening them, and what is said where that cannot be.
#![expect(clippy::disallowed_methods, reason = "runs the program and writes scratch files")]

mod keys;
mod laptop;
mod memory;
mod use_of;
mod verbs;
