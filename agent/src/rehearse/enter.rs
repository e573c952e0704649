//! Goes into the copy for good: a mount namespace in which the machine's own mounts are gone, and without the powers that reach the
//! kernel or the network itself. To be done by the first process of the pid namespace, before it has a second thread.

use super::layers::{inside, root};
use super::private::READ_ONLY_VIEWS;
use crate::os::namespace;
use model::Failure;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, mount_remount, unmount};
use rustix::process::{chdir, pivot_root};
use rustix::thread::{
    CapabilitySet, UnshareFlags, capability_is_in_bounding_set, remove_capability_from_bounding_set,
};
use std::path::Path;

/// Powers over what is not copied: mounts and namespaces, network, clock, modules, power, raw devices, the kernel's log.
const TAKEN_AWAY: [CapabilitySet; 11] = [
    CapabilitySet::SYS_ADMIN,
    CapabilitySet::NET_ADMIN,
    CapabilitySet::SYS_TIME,
    CapabilitySet::SYS_MODULE,
    CapabilitySet::SYS_BOOT,
    CapabilitySet::SYS_RAWIO,
    CapabilitySet::SYSLOG,
    CapabilitySet::MAC_ADMIN,
    CapabilitySet::MKNOD,
    CapabilitySet::WAKE_ALARM,
    CapabilitySet::BPF,
];

/// Leaves the namespaces that `flags` name; the caller has one thread only.
pub(super) fn leave(flags: UnshareFlags) -> Result<(), Failure> {
    namespace::leave(flags).map_err(|error| {
        Failure::refused(
            format!("the kernel gives no namespaces for a rehearsal: {error}"),
            "in a container, start that with the right to mount (CAP_SYS_ADMIN), or rehearse outside of it",
        )
    })
}

/// Enters the copy. When this returns, nothing of the machine's own file systems can be reached any more.
pub(super) fn enter() -> Result<(), Failure> {
    leave(UnshareFlags::NEWNS)?;
    namespace::keep_mounts_private()?;
    processes()?;
    switch().map_err(|error| Failure::io("enter", "the copy of this machine", error))?;
    TAKEN_AWAY.into_iter().try_for_each(take_away)
}

fn switch() -> rustix::io::Result<()> {
    chdir(root())?;
    // The old root ends up on top of the new one, and is then taken off (pivot_root(2), "pivot_root(".", ".")").
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    chdir("/")
}

fn processes() -> Result<(), Failure> {
    let failed = |error| Failure::io("prepare in the copy", "/proc", error);
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", inside(Path::new("/proc")), "proc", flags, None).map_err(failed)?;
    for view in READ_ONLY_VIEWS.map(|view| inside(Path::new(view))).iter().filter(|view| view.exists()) {
        mount_bind(view, view).map_err(failed)?;
        mount_remount(view, flags | MountFlags::RDONLY | MountFlags::BIND, "").map_err(failed)?;
    }
    Ok(())
}

/// No process that is started from here on can have it. A kernel that does not know it cannot grant it either.
fn take_away(power: CapabilitySet) -> Result<(), Failure> {
    let failed = |error| Failure::io("give up", format!("{power:?}"), error);
    match capability_is_in_bounding_set(power) {
        Ok(false) | Err(rustix::io::Errno::INVAL) => Ok(()),
        Ok(true) => remove_capability_from_bounding_set(power).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}
