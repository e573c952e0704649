//! Values of the kernel on the model of a host: files below /proc/sys.

use super::layer::Layer;
use super::{Entry, EntryKind, Look, System};
use model::{Digest, Failure, HostPath};

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
        let found = self.inode(path, Look::Bare)?;
        let mut inode = found.ok_or_else(|| Failure::Missing { what: path.to_string() })?;
        let bytes = format!("{value}\n").into_bytes();
        let kind = EntryKind::File { size: bytes.len() as u64, digest: Some(Digest::of(&bytes)) };
        inode.entry = Entry { kind, ..inode.entry };
        inode.bytes = Some(bytes.into());
        self.delta().paths.insert(path.clone(), Some(inode));
        Ok(())
    }
}
