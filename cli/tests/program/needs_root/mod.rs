//! Runs that make files of root's.

mod choice;
mod endings;
mod no_op;
mod secrets;
mod stories;
mod way_back;
