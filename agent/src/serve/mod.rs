//! The host's side of a push: an order comes down a pipe, its events go up. `work` carries it out; here is only who says what when.
//!
//! `inlet` hears, `outlet` speaks, each in a thread of its own, so that a run never waits for who watches. `link` puts the two
//! together, `contents` are what comes over it, `shorten` makes fit what goes, `service` is the whole of it, `spare` what is before it in an agent
//! that waits for the next push, `input` what is taken of the stream before that, and `leftovers` what older pushes left on the host.

mod contents;
mod inlet;
mod input;
mod leftovers;
mod link;
mod outlet;
mod service;
mod shorten;
mod spare;

pub use input::Input;
pub use leftovers::{remove_leftovers, state_of};
pub use service::{Pace, Pipes, serve};
pub use spare::{Program, is_wanted};
