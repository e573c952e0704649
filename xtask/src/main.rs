//! The chores of the project: test, lab, tidy.
fn main() {}
