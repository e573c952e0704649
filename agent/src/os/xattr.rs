//! Extended attributes and ACLs, read from and written to descriptors.
//! It must not touch attributes that say something about the old bytes (IMA, EVM) or belong to the file system itself.
//! `atomic_write` carries them from a file to the one that replaces it; the engine journals them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr, getxattr, listxattr};
use rustix::io::{Errno, Result};

use super::safe_path::{Node, proc_path};

/// Attributes by name. An ACL is `system.posix_acl_access`, in the kernel's own encoding (acl(5)).
pub type Xattrs = BTreeMap<OsString, Vec<u8>>;

/// The ACL that rules access to the object itself.
pub const ACCESS_ACL: &str = "system.posix_acl_access";

/// The ACL that a directory hands to what is made in it.
pub const DEFAULT_ACL: &str = "system.posix_acl_default";

/// Reads what can be carried over from an opened file or directory. File systems without attributes have none.
///
/// # Errors
/// The system's answer.
pub fn read(file: &File) -> Result<Xattrs> {
    collect(|buf| flistxattr(file, buf), |name, buf| fgetxattr(file, name, buf))
}

/// As `read`, for what is only opened with `O_PATH`. Symbolic links have none that we carry.
///
/// # Errors
/// The system's answer.
pub fn read_node(node: &Node) -> Result<Xattrs> {
    let path = proc_path(&node.fd);
    collect(|buf| listxattr(&path, buf), |name, buf| getxattr(&path, name, buf))
}

/// Makes an opened file have exactly these attributes, of those that can be carried.
///
/// # Errors
/// The system's answer; an attribute that cannot be kept is an error.
pub fn write<Fd: AsFd>(fd: Fd, wanted: &Xattrs) -> Result<()> {
    let fd = fd.as_fd();
    let found = collect(|buf| flistxattr(fd, buf), |name, buf| fgetxattr(fd, name, buf))?;
    // A security module's label on the new file is its own affair; an ACL inherited from the directory is not wanted.
    let extra = |name: &&OsString| !wanted.contains_key(*name) && !name.as_bytes().starts_with(b"security.");
    for name in found.keys().filter(extra) {
        fremovexattr(fd, name.as_os_str())?;
    }
    for (name, value) in wanted.iter().filter(|(name, value)| found.get(*name) != Some(*value)) {
        fsetxattr(fd, name.as_os_str(), value, XattrFlags::empty())?;
    }
    Ok(())
}

/// Tags of an ACL's entries (acl(5), linux/posix_acl.h).
const OWNER: u8 = 0x01;
const GROUP: u8 = 0x04;
const MASK: u8 = 0x10;
const OTHERS: u8 = 0x20;

/// Makes an ACL say the same as a mode, so that not even for a moment it grants more: the entries of owner and others, and the mask,
/// or the group's where there is none. The others lie behind the mask. An ACL that is not as in acl(5) is left for the kernel to refuse.
pub fn fit_acl(xattrs: &mut Xattrs, mode: u32) {
    let Some((_version, entries)) =
        xattrs.get_mut(OsStr::new(ACCESS_ACL)).and_then(|acl| acl.split_at_mut_checked(4))
    else {
        return;
    };
    // Each entry: tag u16 LE, permissions u16 LE, id u32 LE. All tags and permissions are small.
    let masked = entries.chunks(8).any(|entry| entry[0] == MASK);
    for entry in entries.chunks_exact_mut(8) {
        let bits = match entry[0] {
            OWNER => mode >> 6,
            GROUP if !masked => mode >> 3,
            MASK => mode >> 3,
            OTHERS => mode,
            _ => continue,
        };
        entry[2] = u8::try_from(bits & 0o7).expect("three bits");
    }
}

fn collect(
    list: impl Fn(&mut Vec<u8>) -> Result<usize>,
    get: impl Fn(&OsStr, &mut Vec<u8>) -> Result<usize>,
) -> Result<Xattrs> {
    let names = match whole(list) {
        Ok(names) => names,
        Err(Errno::NOTSUP) => return Ok(Xattrs::new()),
        Err(errno) => return Err(errno),
    };
    let mut found = Xattrs::new();
    for name in names.split(|byte| *byte == 0).filter(|name| carried(name)) {
        let name = OsString::from_vec(name.to_vec());
        match whole(|buf| get(&name, buf)) {
            Ok(value) => {
                found.insert(name, value);
            }
            // Gone since it was listed.
            Err(Errno::NODATA) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(found)
}

/// Which attributes follow a file when its content is replaced: not the ones that sign the old content.
fn carried(name: &[u8]) -> bool {
    let signature = matches!(name, b"security.ima" | b"security.evm");
    !signature
        && (name == ACCESS_ACL.as_bytes()
            || name == DEFAULT_ACL.as_bytes()
            || name.starts_with(b"security.")
            || name.starts_with(b"user."))
}

/// Calls with a buffer that grows until the answer fits: an attribute has at most 64 KiB, and so has the list (xattr(7)).
fn whole(call: impl Fn(&mut Vec<u8>) -> Result<usize>) -> Result<Vec<u8>> {
    for size in [0x200, 0x1_0000] {
        let mut buffer = vec![0; size];
        match call(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            Err(Errno::RANGE) => {}
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::RANGE)
}

#[cfg(test)]
mod tests {
    use super::{ACCESS_ACL, Xattrs, fit_acl};

    fn fitted(entries: &[(u8, u8)], mode: u32) -> Vec<(u8, u8)> {
        let bytes = entries.iter().flat_map(|(tag, bits)| [*tag, 0, *bits, 0, 0, 0, 0, 0]);
        let mut xattrs = Xattrs::from([(ACCESS_ACL.into(), [2, 0, 0, 0].into_iter().chain(bytes).collect())]);
        fit_acl(&mut xattrs, mode);
        xattrs
            .into_values()
            .flat_map(|acl| acl[4..].chunks(8).map(|e| (e[0], e[2])).collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn an_acl_never_grants_more_than_the_mode() {
        let full = [(0x01, 7), (0x02, 7), (0x04, 7), (0x10, 7), (0x20, 7)];
        assert_eq!(fitted(&full, 0o640), [(0x01, 6), (0x02, 7), (0x04, 7), (0x10, 4), (0x20, 0)]);
        assert_eq!(fitted(&[(0x01, 7), (0x04, 7), (0x20, 7)], 0o640), [(0x01, 6), (0x04, 4), (0x20, 0)]);
        assert_eq!(fitted(&[], 0o640), []);
    }
}
