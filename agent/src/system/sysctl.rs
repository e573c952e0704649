//! Values of the kernel on the model of a host: files below /proc/sys.

use super::layer::{Inode, Layer};
use super::{Entry, EntryKind, Look, System};
use model::{Digest, Failure, HostPath};
use std::collections::BTreeMap;

/// Longest value that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// A value of the running kernel as it has it, without the newline at its end; `None` where it has none of that name.
///
/// # Errors
/// It cannot be read, as one that can only be written.
pub fn sysctl(system: &dyn System, path: &HostPath) -> Result<Option<String>, Failure> {
    match system.read(path, LONGEST) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            Ok(Some(text.strip_suffix('\n').unwrap_or(&text).to_owned()))
        }
        Err(Failure::Missing { .. }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

impl Layer<'_> {
    /// The kernel shows what it was told, and a newline.
    pub(super) fn set_sysctl(&self, path: &HostPath, value: &str) -> Result<(), Failure> {
        if self.inode(path, Look::Bare)?.is_none() {
            return Err(Failure::Missing { what: path.to_string() });
        }
        self.put_view(path.clone(), format!("{value}\n").into_bytes());
        Ok(())
    }

    /// A view of the kernel, as it is from here on.
    pub(super) fn put_view(&self, path: HostPath, bytes: Vec<u8>) {
        let kind = EntryKind::File { size: bytes.len() as u64, digest: Some(Digest::of(&bytes)) };
        let entry = Entry { kind, uid: 0, gid: 0, mode: 0o644 };
        let inode = Inode { entry, bytes: Some(bytes.into()), xattrs: Some(BTreeMap::new()) };
        self.delta().paths.insert(path, Some(inode));
    }
}
