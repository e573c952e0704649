//! What only a real file system can show: full, without inodes, read-only, mounted noexec, somebody else's.

use crate::host::{As, Host};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::path::PathBuf;

/// A file system at a host's state directory. It goes away with this.
struct Mounted(PathBuf);

impl Mounted {
    fn at(host: &Host, flags: MountFlags, data: &str) -> Self {
        let place = host.path("state");
        std::fs::create_dir(&place).unwrap();
        let data = std::ffi::CString::new(format!("mode=0700,{data}")).unwrap();
        mount("tmpfs", &place, "tmpfs", flags, data.as_c_str()).unwrap();
        Self(place)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        unmount(&self.0, UnmountFlags::DETACH).unwrap();
    }
}

/// How it is mounted, and what a push ends with.
const MOUNTS: &[(MountFlags, &str, &str)] = &[
    (
        MountFlags::empty(),
        "size=8k",
        "the agent could not be written to {dir}/state/bin on the host, and was not run: gzip: stdout: No space left on device",
    ),
    (
        MountFlags::empty(),
        "nr_inodes=2",
        "the agent could not be written to {dir}/state/bin on the host, and was not run: sh: 1: eval: cannot create {dir}/state/bin/.part-NONCE: No space left on device",
    ),
    (
        MountFlags::empty(),
        "nr_inodes=1",
        "the agent cannot be put on the host: mkdir: cannot create directory '{dir}/state/bin': No space left on device",
    ),
    (
        MountFlags::RDONLY,
        "size=1m",
        "the agent cannot be put on the host: mkdir: cannot create directory '{dir}/state/bin': Read-only file system",
    ),
    (
        MountFlags::NOEXEC,
        "size=1m",
        "programs in {dir}/state/bin cannot be run on the host: its file system is mounted noexec",
    ),
];

#[test]
fn a_file_system_that_does_not_take_or_run_the_agent_is_named() {
    for (flags, data, words) in MOUNTS {
        let host = Host::new(As::Root);
        host.agent(&format!("touch ran; : {}", "0123456789".repeat(2000)));
        let _mounted = Mounted::at(&host, *flags, data);
        let mut end = host.end();
        if let Some(at) = end.find(".part-") {
            end.replace_range(at + 6..at + 38, "NONCE");
        }
        assert_eq!(end, words.replace("{dir}", &host.dir.path().display().to_string()));
        assert!(!host.path("ran").exists());
        assert!(host.installed().iter().all(|file| !file.starts_with('.')), "{:?}", host.installed());
    }
}

#[test]
fn nothing_is_run_that_belongs_to_another_user() {
    let nobody = Some(65534);
    let places: [&dyn Fn(&Host) -> PathBuf; 3] =
        [&|host| host.path("state"), &|host| host.bin(), &|host| host.installed_agent()];
    for place in places {
        let host = Host::new(As::Root);
        assert_eq!(host.end(), "Unchanged");
        let place = place(&host);
        std::os::unix::fs::chown(&place, nobody, nobody).unwrap();
        let words = "does not belong to root on the host, and its owner could replace what is run there: look at it, then give it to root or remove it";
        assert_eq!(host.end(), format!("{} {words}", place.display()));
    }
}
