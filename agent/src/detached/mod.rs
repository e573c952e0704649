//! A run that goes on without whoever asked for it: across the end of its connection, and across a reboot.
//!
//! `scope` is its place among the processes of the host. `role` are the commands by which a program is started for that, `boot_unit`
//! has one of them started at boot, and `boot` is what it does then. `posted` has a run watched over, and `watcher` is the process that does it. `unit` is what such a process runs in.

mod boot;
mod boot_unit;
mod drill;
mod posted;
mod role;
pub mod scope;
mod unit;
mod watcher;

pub use boot_unit::{BootUnit, is_booted_with_systemd};
pub use drill::{post_drill, relieve_drill};
pub use posted::Posted;
pub use role::{Role, quoted};
