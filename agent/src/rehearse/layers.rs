//! Lays an overlay over each mount of the machine, with the upper layers in memory. To be done in a mount namespace of one's own:
//! it covers `/sys` of that namespace with the memory that holds everything, so that nothing has to be made on the machine.

use super::mounts::Fate;
use crate::os::mounts::{Mount, parse};
use crate::os::namespace::{self, like};
use model::Failure;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags, mkdir, open, statx};
use rustix::mount::{MountFlags, mount, mount_bind, mount_remount};
use std::ffi::CString;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// Where the memory is mounted.
const BASE: &str = "/sys";
/// Of the memory that is free now, this part may be filled.
const SHARE: (u64, u64) = (4, 5);
/// Larger single files that are mounts are shown for reading only.
const LARGEST_FILE: u64 = 16 << 20;

/// One part of the copy that has its own record of changes.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// Where on the machine.
    pub(super) at: PathBuf,
    /// What was changed there: the upper directory of an overlay, or the copy of a single file.
    pub(super) upper: PathBuf,
}

/// The copy of the machine.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// A place comes after those above it.
    pub(super) all: Vec<Layer>,
    /// What is not as on the machine.
    pub(super) notes: Vec<String>,
}

/// The root of the copy.
pub(super) fn root() -> PathBuf {
    Path::new(BASE).join("root")
}

/// Where a path of the machine is in the copy, as long as nobody has entered it.
pub(super) fn inside(path: &Path) -> PathBuf {
    root().join(path.strip_prefix("/").unwrap_or(path))
}

/// Makes the copy, but for what [`super::private`] fills.
pub(super) fn lay() -> Result<Layers, Failure> {
    // Nothing that is mounted from here on may reach the machine's own namespace.
    namespace::keep_mounts_private()?;
    let mounts = visible(&read("/proc/self/mountinfo")?);
    let memory = memory(&read("/proc/meminfo")?)?;
    take_memory(memory)?;
    let mut layers = Layers::default();
    for mount in mounts.iter().filter(|mount| mount.fate() != Fate::Absent) {
        match (mount.fate(), std::fs::symlink_metadata(&mount.at)) {
            // Gone since the list was read, or not for anybody to see, as a user's own FUSE.
            (_, Err(error)) => {
                let at = mount.at.display();
                layers.notes.push(format!("what is mounted on {at} is not there in a rehearsal: {error}"));
            }
            (Fate::Layered, Ok(found)) if found.is_dir() => layers.cover(mount)?,
            (Fate::Layered, Ok(_)) => layers.copy(mount)?,
            (Fate::Shown | Fate::Absent, Ok(_)) => layers.show(mount)?,
        }
    }
    Ok(layers)
}

fn read(path: &str) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::io("read", path, error))
}

/// Without the mounts that others cover. Kernels before 5.8 do not tell; there the list is believed.
fn visible(mountinfo: &[u8]) -> Vec<Mount> {
    let mut mounts = parse(mountinfo);
    mounts.retain(|mount| {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        match statx(CWD, &mount.at, flags, StatxFlags::MNT_ID) {
            Ok(found) if found.stx_mask & StatxFlags::MNT_ID.bits() != 0 => found.stx_mnt_id == mount.id,
            _ => true,
        }
    });
    mounts
}

/// How many bytes the copy may take (proc_meminfo(5)).
fn memory(meminfo: &[u8]) -> Result<u64, Failure> {
    let text = String::from_utf8_lossy(meminfo);
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib =
        line.and_then(|rest| rest.trim().strip_suffix("kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
    let kib = kib.ok_or_else(|| Failure::unknown("free memory", "/proc/meminfo has no MemAvailable"))?;
    Ok(kib.saturating_mul(1024) / SHARE.1 * SHARE.0)
}

fn take_memory(size: u64) -> Result<(), Failure> {
    let options = CString::new(format!("size={size},mode=0700"))
        .map_err(|error| Failure::io("mount memory on", BASE, error))?;
    mount("keel-rehearsal", BASE, "tmpfs", MountFlags::NODEV, options.as_c_str())
        .map_err(|error| Failure::io("mount memory on", BASE, error))?;
    make(&root(), 0o755)
}

fn make(path: &Path, mode: u32) -> Result<(), Failure> {
    mkdir(path, Mode::from_raw_mode(mode)).map_err(|error| Failure::io("make", path.display(), error))
}

/// True where the memory for the copy is as good as full, so that what happened in it would not happen on the machine.
pub(super) fn is_full() -> Result<bool, Failure> {
    let found = rustix::fs::statvfs(BASE).map_err(|error| Failure::io("look at", BASE, error))?;
    Ok(found.f_bavail < found.f_blocks / 50)
}

impl Layers {
    fn place(&self) -> PathBuf {
        Path::new(BASE).join(self.all.len().to_string())
    }

    /// An overlay over the file system that is mounted there.
    fn cover(&mut self, wanted: &Mount) -> Result<(), Failure> {
        let place = self.place();
        let (upper, work) = (place.join("upper"), place.join("work"));
        [(&place, 0o700), (&upper, 0o755), (&work, 0o700)]
            .into_iter()
            .try_for_each(|(path, mode)| make(path, mode))?;
        like(&wanted.at, &upper)
            .map_err(|error| Failure::io("copy the attributes of", wanted.at.display(), error))?;
        match overlay(wanted, &upper, &work) {
            Ok(()) => {
                self.all.push(Layer { at: wanted.at.clone(), upper });
                Ok(())
            }
            Err(error) if wanted.at != Path::new("/") => {
                let at = wanted.at.display();
                self.notes.push(format!("{at} ({}) can only be read in a rehearsal: {error}", wanted.fs));
                self.show(wanted)
            }
            Err(error) => Err(Failure::refused(
                format!("the kernel lays no overlay over / ({}): {error}", wanted.fs),
                "rehearse on a machine or in a container whose root may be the lower layer of an overlay (kernel 4.19 or newer, \
                 at most one overlay already)",
            )),
        }
    }

    /// The mount itself, for reading.
    fn show(&mut self, wanted: &Mount) -> Result<(), Failure> {
        let (at, target) = (wanted.at.display(), inside(&wanted.at));
        if let Err(error) = mount_bind(&wanted.at, &target) {
            self.notes.push(format!("what is mounted on {at} is not there in a rehearsal: {error}"));
            return Ok(());
        }
        // From here on it must become read-only, or everything ends: it is the machine's own.
        let flags =
            (wanted.flags - MountFlags::RELATIME) | MountFlags::RDONLY | MountFlags::NODEV | MountFlags::BIND;
        mount_remount(&target, flags, "").map_err(|error| Failure::io("make read-only", at, error))
    }

    /// A single file that is a mount of its own, as container engines make them: it can be written but not replaced.
    fn copy(&mut self, wanted: &Mount) -> Result<(), Failure> {
        let at = &wanted.at;
        let size = std::fs::metadata(at).map(|found| if found.is_file() { found.len() } else { u64::MAX });
        if !size.is_ok_and(|size| size <= LARGEST_FILE) {
            self.notes.push(format!("{} can only be read in a rehearsal: it is a mount", at.display()));
            return self.show(wanted);
        }
        let upper = self.place();
        std::fs::copy(at, &upper)
            .and_then(|_| like(at, &upper))
            .and_then(|()| Ok(mount_bind(&upper, inside(at))?))
            .map_err(|error| Failure::io("copy", at.display(), error))?;
        self.all.push(Layer { at: at.clone(), upper });
        Ok(())
    }
}

fn overlay(wanted: &Mount, upper: &Path, work: &Path) -> std::io::Result<()> {
    let lower = open(&wanted.at, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let flags = (wanted.flags - MountFlags::RELATIME) | MountFlags::NODEV;
    namespace::overlay(("keel-rehearsal", flags), lower.as_fd(), (upper, work), &inside(&wanted.at))
}
