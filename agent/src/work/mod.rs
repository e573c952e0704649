//! Any order, carried out in this process: what `keel --local` and `keel-agent` have in common.
//!
//! `session` and `rehearse` do the work; here it is told the same way whoever asked, and its end is named.

mod attach;
mod checks;
mod confirm;
mod drill;
mod ending;
pub mod keeping;
mod locks;
mod means;
mod needed;
mod perform;

pub use means::{Controller, Means};
pub use perform::perform;
