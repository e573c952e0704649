//! What is mounted on the machine, and what becomes of each mount in its copy. Pure, from the text of proc_pid_mountinfo(5).
//! It must not mount anything: `layers` does.

use crate::os::mounts::Mount;
use rustix::mount::MountFlags;
use std::path::Path;

/// What becomes of a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It gets a layer of its own.
    Layered,
    /// It is shown as it is, for reading.
    Shown,
    /// It is not there: a view of the kernel, or something for which the copy has its own.
    Absent,
}

/// The places that the copy fills itself.
const OWN: [&str; 4] = ["/proc", "/sys", "/dev", "/run"];

/// File systems that hold no files of the machine, or those of somebody else's containers.
const VIEWS: &[&str] = &[
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];

impl Mount {
    /// What becomes of it. That of `/` is always [`Fate::Layered`].
    pub(super) fn fate(&self) -> Fate {
        if self.at == Path::new("/") {
            return Fate::Layered;
        }
        let own = OWN.iter().any(|place| self.at.starts_with(place));
        if own || VIEWS.contains(&self.fs.as_str()) {
            Fate::Absent
        } else if self.flags.contains(MountFlags::RDONLY) || self.fs.starts_with("fuse") {
            Fate::Shown
        } else {
            Fate::Layered
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fate;
    use crate::os::mounts::{INFO, parse};
    use std::path::Path;

    #[test]
    fn mounts_with_files_of_the_machine_get_layers() {
        let fate = |at: &str| parse(INFO).iter().find(|it| it.at == Path::new(at)).unwrap().fate();
        assert_eq!(
            (fate("/"), fate("/home"), fate("/running")),
            (Fate::Layered, Fate::Layered, Fate::Layered)
        );
        assert_eq!((fate("/a b"), fate("/snap/core/1")), (Fate::Shown, Fate::Shown));
        assert_eq!((fate("/proc"), fate("/run")), (Fate::Absent, Fate::Absent));
    }
}
