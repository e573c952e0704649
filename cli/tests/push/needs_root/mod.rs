//! Pushes change hosts as root, and hosts that are told apart have file systems of their own.

mod display;
mod input;
mod stop;
mod verbs;
