//! What sysctl.d(5) would set at boot: its files in their order, and the lines in them. Only looks.

use super::follow::follow;
use crate::system::{EntryKind, Look, System};
use model::{Failure, HostPath, sysctl_path};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;

/// Where an administrator's files are.
pub const DIR: &str = "/etc/sysctl.d";
/// Where files are: of those with the same name the first counts.
const DIRS: [&str; 4] = [DIR, "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"];
/// Largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// A value that is set at boot after another one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Later {
    /// By which file.
    pub file: HostPath,
    /// Which.
    pub value: String,
}

/// The text of a file; nothing where it is gone.
pub fn read(system: &dyn System, file: &HostPath) -> Result<String, Failure> {
    match system.read(file, LARGEST) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(Failure::Missing { .. }) => Ok(String::new()),
        Err(failure) => Err(failure),
    }
}

/// The last value that `text` gives the key whose file in /proc/sys is `path`. A pattern does not count: a key that is named is none of its.
pub fn last(text: &str, path: &HostPath) -> Option<String> {
    let value = |line: &str| {
        let line = line.trim();
        let (key, value) = line.strip_prefix('-').unwrap_or(line).split_once('=')?;
        let is_it = !line.starts_with(['#', ';']) && sysctl_path(key.trim()).as_ref() == Some(path);
        is_it.then(|| value.trim().to_owned())
    };
    text.lines().filter_map(value).next_back()
}

/// What files that are read after `file` make of the key whose file in /proc/sys is `path`.
pub fn later(system: &dyn System, file: &HostPath, path: &HostPath) -> Result<Option<Later>, Failure> {
    let mut after: BTreeMap<OsString, HostPath> = BTreeMap::new();
    for dir in DIRS {
        let dir = HostPath::new(dir).map_err(|why| Failure::unknown(dir, why))?;
        let names = match system.list(&dir) {
            Ok(names) => names,
            Err(Failure::Missing { .. }) => continue,
            Err(failure) => return Err(failure),
        };
        let is_later = |name: &OsString| {
            name.as_os_str() > file.file_name() && name.as_encoded_bytes().ends_with(b".conf")
        };
        for name in names.into_iter().filter(is_later) {
            let at = dir.join(&name);
            after.entry(name).or_insert(at);
        }
    }
    let mut found = None;
    for at in after.into_values() {
        let end = follow(system, &at)?;
        // A link to /dev/null stands for no file.
        let entry = system.look(&end, Look::Bare)?;
        if entry.is_some_and(|entry| matches!(entry.kind, EntryKind::File { .. })) {
            let value = last(&read(system, &end)?, path);
            found = value.map(|value| Later { file: at, value }).or(found);
        }
    }
    Ok(found)
}
