//! What tells that something happened: the file system, the service manager, signals and the clock. None of them decides anything.

pub mod below;
pub mod bus;
pub mod files;
pub mod mounts;
pub mod units;
pub mod values;
pub mod wait;
pub mod writers;
