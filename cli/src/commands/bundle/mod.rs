//! `keel bundle`: a site as one signed file. A file for each thing that can be done with it.

mod build;
mod publish;
mod run;
mod sign;
mod verify;

pub use run::{Args, run};
pub use sign::beside;
pub use verify::{ALLOWED, signature};
