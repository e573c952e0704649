//! What is mounted, from the text of proc_pid_mountinfo(5). Pure: it must not mount anything.

use model::Gather;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use rustix::mount::MountFlags;

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Its number.
    pub(crate) id: u64,
    /// Where.
    pub(crate) at: PathBuf,
    /// File system type.
    pub(crate) fs: String,
    /// Options of this mount, as flags.
    pub(crate) flags: MountFlags,
}

/// The mounts of a mountinfo file, each place once, with what was mounted there last; a place comes after those above it.
pub(crate) fn parse(mountinfo: &[u8]) -> Vec<Mount> {
    let lines = mountinfo.split(|byte| *byte == b'\n');
    let places: BTreeMap<PathBuf, Mount> =
        lines.filter_map(line).map(|mount| (mount.at.clone(), mount)).gather();
    places.into_values().collect()
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn line(line: &[u8]) -> Option<Mount> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let dash = fields.iter().position(|field| *field == b"-")?;
    let text = |at: usize| fields.get(at).and_then(|field| std::str::from_utf8(field).ok());
    let at = PathBuf::from(OsString::from_vec(unescaped(fields.get(4)?)));
    let id = text(0)?.parse().ok()?;
    Some(Mount { id, at, fs: text(dash + 1)?.to_owned(), flags: flags(text(5)?) })
}

/// Space, tab, newline and backslash are written in three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if *first == b'\\' => {
                out.push(byte);
                rest = &after[3..];
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

fn flags(options: &str) -> MountFlags {
    let flag = |option: &str| match option {
        "ro" => MountFlags::RDONLY,
        "nosuid" => MountFlags::NOSUID,
        "nodev" => MountFlags::NODEV,
        "noexec" => MountFlags::NOEXEC,
        "noatime" => MountFlags::NOATIME,
        "nodiratime" => MountFlags::NODIRATIME,
        "relatime" => MountFlags::RELATIME,
        _ => MountFlags::empty(),
    };
    options.split(',').map(flag).fold(MountFlags::empty(), |all, flag| all | flag)
}

/// A machine with a mount of every sort.
#[cfg(test)]
pub(crate) const INFO: &[u8] = b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
    30 22 8:2 / /home rw,nosuid,nodev - ext4 /dev/sda2 rw\n\
    31 22 8:3 / /a\\040b ro - xfs /dev/sda3 ro\n\
    32 22 0:5 / /proc rw - proc proc rw\n\
    33 22 0:6 / /run rw - tmpfs tmpfs rw\n\
    34 22 0:7 / /snap/core/1 ro,nodev master:3 shared:4 - squashfs /dev/loop0 ro\n\
    35 30 0:8 / /home rw - btrfs /dev/sdb rw\n\
    36 22 0:9 / /running rw - tmpfs tmpfs rw\nnonsense\n";

#[cfg(test)]
mod tests {
    use super::{INFO, parse};
    use rustix::mount::MountFlags;

    #[test]
    fn each_place_is_told_once_with_the_last_mount_there() {
        let mounts = parse(INFO);
        let places: Vec<&str> = mounts.iter().map(|mount| mount.at.to_str().unwrap()).collect();
        assert_eq!(places, ["/", "/a b", "/home", "/proc", "/run", "/running", "/snap/core/1"]);
        assert_eq!(mounts[2].fs, "btrfs");
        assert!(mounts[1].flags.contains(MountFlags::RDONLY));
    }
}
