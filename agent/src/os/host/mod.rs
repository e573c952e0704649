//! The real host: `System` on Linux with systemd, dpkg and apt. It stands on the safety core beside it, and changes nothing
//! but in `execute`. Each file here knows one of the outside's formats or tools; `host` holds them together.

mod account_files;
mod account_tools;
mod apt;
mod apt_locks;
mod apt_query;
mod apt_words;
mod attendance;
mod cached;
mod debs;
mod dpkg;
mod execute;
mod file_ops;
mod files;
mod group_shadow;
mod holds;
#[allow(clippy::module_inception, reason = "the type `Host` is the file's name")]
mod host;
mod interrupted;
mod many_files;
mod mask;
mod mounts;
mod programs;
mod reboot;
mod run;
mod stored;
mod sysctl;
mod together;
mod unit_actions;
mod unit_files;
mod units;

pub use attendance::Attendance;
pub use host::Host;
pub use mask::Mask;
pub use units::{unit_of_manager, units_by_program, units_by_socket};
