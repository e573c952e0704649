//! Runs that make files of root's.

mod agent_settings;
mod canary;
mod choice;
mod counts;
mod crash;
mod endings;
mod io_errors;
mod many;
mod no_op;
mod order;
mod secrets;
mod stage;
mod stories;
mod syscalls;
mod together;
mod tracer;
mod tree;
mod way_back;
