//! Tests of the safety core on a real file system, in directories of their own. Without root they use the caller's own numbers.

mod changing;
mod crash;
mod full_disk;
mod many;
mod paths;
mod stage;
mod writing;
