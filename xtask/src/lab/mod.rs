//! Real hosts on one machine: systemd-nspawn over one cached base, on a bridge that leads nowhere but to a
//! proxy for apt. `state` is the lab's directory; `up` and `down` are the way in and the way out; `scenario`
//! runs what stands in `tests/lab/`.

pub mod base;
pub mod cgroups;
pub mod daemons;
pub mod down;
pub mod host;
pub mod machine;
pub mod network;
pub mod process;
pub mod scenario;
pub mod ssh;
pub mod state;
pub mod up;
pub mod vagrant_box;
