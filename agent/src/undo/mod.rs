//! The way back: what an op touches, how that is captured, and the ops that restore it.
//!
//! There is no undo per op: the before-image of a subject and its present state decide together, so undoing can be
//! cut off and taken up again.

mod capture;
mod difference;
mod keep;
mod later;
mod restore;
mod subjects;

pub use capture::{LARGEST_KEPT, Secrecy, capture, comparable, package_state};
pub use difference::differences;
pub use keep::{CompareOnly, Keep, MemoryKeep};
pub use later::Later;
pub use restore::restore;
pub use subjects::{reversibility, reversibility_of, secrecy, spares, subjects};
