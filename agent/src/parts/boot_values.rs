//! What sysctl.d(5) would set at boot: its files in their order, and the lines in them. Only looks.

use super::follow::follow;
use crate::system::{Entry, EntryKind, Look, System, once};
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

/// What all files together set.
struct BootValues {
    /// In the order in which they are read.
    files: Vec<Set>,
}

/// What one file sets.
struct Set {
    name: OsString,
    at: HostPath,
    /// By the file in /proc/sys; or why that cannot be told, which is of no matter to a value that is set later.
    values: Result<BTreeMap<HostPath, String>, Failure>,
}

impl BootValues {
    fn read(system: &dyn System) -> Result<Self, Failure> {
        let mut found: BTreeMap<OsString, HostPath> = BTreeMap::new();
        for dir in DIRS {
            let dir = HostPath::new(dir).map_err(|why| Failure::unknown(dir, why))?;
            let names = match system.list(&dir) {
                Ok(names) => names,
                Err(Failure::Missing { .. }) => continue,
                Err(failure) => return Err(failure),
            };
            for name in names.into_iter().filter(|name| name.as_encoded_bytes().ends_with(b".conf")) {
                let at = dir.join(&name);
                found.entry(name).or_insert(at);
            }
        }
        let set = |(name, at)| Set { name, values: set_by(system, &at), at };
        Ok(Self { files: found.into_iter().map(set).collect() })
    }
}

/// What the file at `at` sets, where there is one: a link to /dev/null stands for none.
fn set_by(system: &dyn System, at: &HostPath) -> Result<BTreeMap<HostPath, String>, Failure> {
    let is_file = |entry: Option<Entry>| entry.is_some_and(|it| matches!(it.kind, EntryKind::File { .. }));
    let (end, is_file) = match system.look(at, Look::Bare)? {
        Some(Entry { kind: EntryKind::Symlink { .. }, .. }) => {
            let end = follow(system, at)?;
            let is_file = is_file(system.look(&end, Look::Bare)?);
            (end, is_file)
        }
        found => (at.clone(), is_file(found)),
    };
    Ok(if is_file { lines(&read(system, &end)?).collect() } else { BTreeMap::new() })
}

/// The text of a file; nothing where it is gone.
pub fn read(system: &dyn System, file: &HostPath) -> Result<String, Failure> {
    match system.read(file, LARGEST) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(Failure::Missing { .. }) => Ok(String::new()),
        Err(failure) => Err(failure),
    }
}

/// The files in /proc/sys that `text` gives values, and which, in its order. A pattern does not count: a key that is named is none of its.
fn lines(text: &str) -> impl Iterator<Item = (HostPath, String)> {
    text.lines().filter_map(|line| {
        let line = line.trim();
        let (key, value) = line.strip_prefix('-').unwrap_or(line).split_once('=')?;
        let path = if line.starts_with(['#', ';']) { None } else { sysctl_path(key.trim()) };
        path.map(|path| (path, value.trim().to_owned()))
    })
}

/// The last value that `text` gives the key whose file in /proc/sys is `path`.
pub fn last(text: &str, path: &HostPath) -> Option<String> {
    lines(text).filter(|(key, _)| key == path).last().map(|(_, value)| value)
}

/// What files that are read after `file` make of the key whose file in /proc/sys is `path`.
pub fn later(system: &dyn System, file: &HostPath, path: &HostPath) -> Result<Option<Later>, Failure> {
    let dir = HostPath::new(DIR).map_err(|why| Failure::unknown(DIR, why))?;
    let all = once(system, &dir, || BootValues::read(system))?;
    let mut found = None;
    for Set { at, values, .. } in all.files.iter().filter(|set| set.name.as_os_str() > file.file_name()) {
        let value = values.as_ref().map_err(Failure::clone)?.get(path);
        found = value.map(|value| Later { file: at.clone(), value: value.clone() }).or(found);
    }
    Ok(found)
}
