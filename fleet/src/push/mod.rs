//! One piece of work for many hosts: `push(&Push) -> Vec<(String, End)>`, in the order of the targets.

mod controller;
mod target;

pub use controller::{Controller, End, Prepared};
pub use target::{Connect, Push, Target};
