//! Connections to hosts: one trait, a file for each transport.

mod remote;

pub use remote::{Pipe, Received, Remote};
