//! Which runs go on that this machine has begun or watched, for a call after one that did not see their end. `dir` is the directory,
//! `entry` one host in it, `record` what is kept of a run.

mod dir;
mod entry;
mod record;

pub use dir::Runs;
pub(crate) use entry::Entry;
pub use record::Lost;
pub(crate) use record::Record;
