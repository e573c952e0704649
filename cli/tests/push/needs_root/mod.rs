//! Pushes change hosts as root, and hosts that are told apart have file systems of their own.

mod adrift;
mod display;
mod input;
mod local;
mod stop;
mod verbs;
