//! Failure drills: `course` takes one of them from its beginning to its end on a `host`, which may be one of the boxes or, for `keel drill`,
//! a live one. What faults do to a host is in `agent::drills`; the host takes each back by itself, whatever becomes of the course.

mod course;
mod host;
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
mod in_box;

pub use course::{Drilling, End, Ran};
pub use host::{Drilled, Put, changes};
#[cfg(all(target_os = "linux", not(feature = "elsewhere")))]
pub use in_box::InBox;
