//! What a reboot changes of a host, on the model of one: the reasons for it are gone, and the kernel has another boot id.

use super::layer::Inode;
use super::{Entry, EntryKind, Layer, Look, System};
use model::{Digest, Failure, HostPath};
use std::collections::BTreeMap;

/// Where packages of Debian and Ubuntu leave word that they wait for a reboot (`notify-reboot-required`, package update-notifier-common;
/// Debian Policy 9.3.6). The second is the first on any host whose `/var/run` is a link.
pub const REQUIRED: [&str; 2] = ["/run/reboot-required", "/var/run/reboot-required"];

/// Boot id of the kernel, which tells one uptime from another (random(4)).
pub const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

impl Layer<'_> {
    pub(super) fn reboot(&self) -> Result<(), Failure> {
        let known = |path: &str| HostPath::new(path).map_err(|why| Failure::unknown(path, why));
        for path in REQUIRED {
            let path = known(path)?;
            if self.look(&path, Look::Bare)?.is_some() {
                self.delta().paths.insert(path, None);
            }
        }
        let path = known(BOOT_ID)?;
        if self.look(&path, Look::Bare)?.is_some() {
            let bytes = [&self.read(&path, 4096)?[..], b" and after"].concat();
            let kind = EntryKind::File { size: bytes.len() as u64, digest: Some(Digest::of(&bytes)) };
            let entry = Entry { kind, uid: 0, gid: 0, mode: 0o444 };
            let inode = Inode { entry, bytes: Some(bytes.into()), xattrs: Some(BTreeMap::new()) };
            self.delta().paths.insert(path, Some(inode));
        }
        Ok(())
    }
}
