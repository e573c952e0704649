//! Bundles from outside: what is in them, that the same makes the same, who is believed, and that nothing else is taken.
#![expect(clippy::disallowed_methods, reason = "calls tar, git and ssh-keygen, and writes scratch files")]

mod archive;
mod contents;
mod depot;
mod git;
mod signatures;
mod web;
mod workshop;
