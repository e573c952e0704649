//! What the copy has for itself: devices, kernel views, `/run`, and the rule that no service is started.
//! Nobody in the copy may reach a daemon of the machine through a socket, or a disk through its device.

use super::layers::inside;
use model::Failure;
use rustix::fs::{Gid, Mode, Uid, chmod, chown};
use rustix::mount::{MountFlags, mount, mount_bind};
use std::ffi::CStr;
use std::fs::{DirEntry, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, symlink};
use std::path::Path;

/// Debian's policy-rc.d(8): 101 means that the action is not allowed. What was asked for is written down.
const POLICY: &str = "/usr/sbin/policy-rc.d";
const POLICY_TEXT: &[u8] = b"#!/bin/sh\necho \"$@\" >> /run/keel-rehearsal-services\nexit 101\n";
/// Where the rule writes, in the copy.
pub(super) const ASKED: &str = "/run/keel-rehearsal-services";

/// Devices without memory or power.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
/// Files of /run above this size are left out.
const LARGEST: u64 = 64 << 10;
/// Below these there are sockets, sessions and the marks of a service manager.
const NOT_COPIED: [&str; 5] = ["systemd", "user", "udev", "credentials", "log"];

/// True for what the copy has only for the rehearsal's own sake.
pub(super) fn is_ours(path: &Path) -> bool {
    path == Path::new(POLICY)
}

/// Fills the copy with everything that is not a layer, but for `/proc`, which the first process in it has to mount.
pub(super) fn fill() -> std::result::Result<(), Failure> {
    let told = |what: &'static str| move |error: Error| Failure::io("prepare in the copy", what, error);
    devices().map_err(told("/dev"))?;
    kernel_view().map_err(told("/sys"))?;
    run().map_err(told("/run"))?;
    policy().map_err(told(POLICY))
}

fn memory(at: &Path, flags: MountFlags, options: &CStr) -> Result<()> {
    let flags = flags | MountFlags::NOSUID;
    Ok(mount("keel-rehearsal", inside(at), "tmpfs", flags, options)?)
}

fn new_file(path: &Path, mode: u32) -> Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    // Whatever the umask.
    rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
    Ok(file)
}

fn new_directory(path: &Path, mode: u32) -> Result<()> {
    std::fs::create_dir(path)?;
    Ok(chmod(path, Mode::from_raw_mode(mode))?)
}

fn devices() -> Result<()> {
    let dev = Path::new("/dev");
    memory(dev, MountFlags::NOEXEC, c"mode=0755,size=1m")?;
    for name in DEVICES {
        let (real, copy) = (dev.join(name), inside(&dev.join(name)));
        match std::fs::symlink_metadata(&real) {
            Ok(_) => {
                new_file(&copy, 0o666)?;
                mount_bind(&real, &copy)?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let links = [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ];
    links.iter().try_for_each(|(name, target)| symlink(target, inside(&dev.join(name))))?;
    new_directory(&inside(&dev.join("pts")), 0o755)?;
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount("devpts", inside(&dev.join("pts")), "devpts", flags, c"newinstance,ptmxmode=0666,mode=0620,gid=5")?;
    new_directory(&inside(&dev.join("shm")), 0o1777)?;
    memory(&dev.join("shm"), MountFlags::NODEV, c"mode=1777,size=256m")
}

fn kernel_view() -> Result<()> {
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    Ok(mount("sysfs", inside(Path::new("/sys")), "sysfs", flags, None)?)
}

/// Directories and small files as on the machine, without sockets and without a service manager.
fn run() -> Result<()> {
    let run = Path::new("/run");
    memory(run, MountFlags::NODEV, c"mode=0755,size=64m")?;
    let device = std::fs::metadata(run)?.dev();
    for entry in listed(run)? {
        if !NOT_COPIED.iter().any(|name| entry.file_name() == *name) {
            copy(&entry, device)?;
        }
    }
    // Where the resolver's configuration often is; names are looked up as on the machine.
    let resolve = Path::new("/run/systemd/resolve");
    if resolve.is_dir() {
        new_directory(&inside(Path::new("/run/systemd")), 0o755)?;
        new_directory(&inside(resolve), 0o755)?;
        listed(resolve)?.iter().try_for_each(|entry| copy(entry, device))?;
    }
    let lock = inside(Path::new("/run/lock"));
    if lock.exists() { Ok(()) } else { new_directory(&lock, 0o1777) }
}

/// Nothing where the directory has gone: the machine goes on meanwhile.
fn listed(path: &Path) -> Result<Vec<DirEntry>> {
    match std::fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.collect(),
    }
}

/// What is mounted in `/run`, such as namespaces and sessions, is on another device: of that only the mount point is copied.
fn copy(entry: &DirEntry, device: u64) -> Result<()> {
    let (path, target) = (entry.path(), inside(&entry.path()));
    let found = match entry.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    let is_mounted = found.dev() != device;
    if found.is_symlink() {
        return match std::fs::read_link(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            link => symlink(link?, target),
        };
    } else if found.is_dir() {
        new_directory(&target, found.mode() & 0o7777)?;
        if !is_mounted {
            listed(&path)?.iter().try_for_each(|entry| copy(entry, device))?;
        }
    } else if found.is_file() && found.len() <= LARGEST && !is_mounted {
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            read => read?,
        };
        new_file(&target, found.mode() & 0o7777)?.write_all(&bytes)?;
    } else {
        return Ok(());
    }
    Ok(chown(&target, Some(Uid::from_raw(found.uid())), Some(Gid::from_raw(found.gid())))?)
}

fn policy() -> Result<()> {
    let path = inside(Path::new(POLICY));
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match new_file(&path, 0o755) {
        // A machine without /usr/sbin is none of Debian's.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        made => made?.write_all(POLICY_TEXT),
    }
}

/// Views of the kernel which may be read in the copy, but not written.
pub(super) const READ_ONLY_VIEWS: [&str; 6] =
    ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi"];
