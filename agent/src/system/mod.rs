//! The door to the host: every read and every write of it goes through [`System`].
//!
//! The real one is `os::host`; [`Layer`] is the one in memory, and with a base below it the forecast, on which planned
//! ops have been predicted. Nothing here knows kinds or the engine.

mod accounts;
mod deb_version;
mod door;
mod entry;
mod gshadow;
mod layer;
mod mounts;
mod once;
mod packages;
mod predict;
mod reboot;
mod running;
mod sysctl;
mod unit_files;
mod view;

pub use accounts::{Accounts, Group, User};
pub use deb_version::compare_versions;
pub use door::{Attempt, System, Touched};
pub use entry::{Compared, Entry, EntryKind, Look, Whole};
pub use gshadow::{GroupShadow, administered, group_shadow};
pub use layer::Layer;
pub use mounts::{
    AUTOFS, MOUNTS, Mounted, after, all_options, escaped, flags, is_second, is_stacked, mount_image, mounted,
    mounts, table, unescaped,
};
pub use once::{Shared, Still, Worked, once};
pub use packages::{Candidates, Package, PackageStatus, cut_off, left_over};
pub use reboot::{BOOT_ID, REQUIRED};
pub use running::is_running;
pub use sysctl::sysctl;
pub use view::View;
