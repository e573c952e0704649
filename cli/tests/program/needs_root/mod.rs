//! Runs that make files of root's.

mod canary;
mod choice;
mod crash;
mod endings;
mod io_errors;
mod no_op;
mod secrets;
mod stage;
mod stories;
mod way_back;
