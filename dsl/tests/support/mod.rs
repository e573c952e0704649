//! What tests of the compiler share.

mod fake;

pub use fake::kinds;
