//! What lies below a directory, as data, and the steps that remove it item by item. Nothing is removed across a mount
//! point, nothing in bulk, and never more than a person could have meant.

use crate::system::{Entry, EntryKind, Look, MOUNTS, System, once};
use model::{Failure, HostPath, Op, Step, Val};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// Most entries that one resource removes in a run.
pub const MOST_REMOVED: usize = 10_000;
/// Most entries that one resource looks at.
const MOST_SEEN: usize = 1_000_000;

/// An entry below a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Where.
    pub path: HostPath,
    /// What.
    pub entry: Entry,
}

/// All that lies below a directory; links are not followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tree {
    /// Each directory before what is in it.
    pub entries: Vec<Found>,
    /// Mount points, the directory itself among them.
    pub mounts: Vec<HostPath>,
}

impl Tree {
    /// Looks at all below `top`.
    ///
    /// # Errors
    /// `Refused` where there is more than a million entries, or the failure of a look.
    pub fn probe(system: &dyn System, top: &HostPath) -> Result<Self, Failure> {
        let mut entries: Vec<Found> = Vec::new();
        let mut todo = vec![top.clone()];
        while let Some(directory) = todo.pop() {
            for name in system.list(&directory)? {
                let path = directory.join(&name);
                // What went away in between is not there.
                let Some(entry) = system.look(&path, Look::Bare)? else { continue };
                if entry.kind == EntryKind::Directory {
                    todo.push(path.clone());
                }
                entries.push(Found { path, entry });
            }
            if entries.len() > MOST_SEEN {
                let why = format!("more than {MOST_SEEN} entries lie below {top}");
                return Err(Failure::refused(why, "name a directory further down"));
            }
        }
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self { entries, mounts: mounts(system, top)? })
    }

    /// The steps that remove what `keep` does not spare, the innermost first. A directory with something spared in it stays.
    ///
    /// # Errors
    /// `Refused` where a file system is mounted on the way, or where it would be more than `MOST_REMOVED` entries.
    pub fn removal(&self, keep: impl Fn(&HostPath) -> bool) -> Result<Vec<Step>, Failure> {
        let mut spared: BTreeSet<HostPath> = BTreeSet::new();
        let mut steps = Vec::new();
        for Found { path, entry } in self.entries.iter().rev() {
            if keep(path) || spared.contains(path) {
                spared.extend(path.parent());
                continue;
            }
            self.refuse_mounted(path)?;
            steps.push(removed(path, entry));
        }
        if steps.len() > MOST_REMOVED {
            let why = format!("{} entries would be removed, and {MOST_REMOVED} is the most", steps.len());
            return Err(Failure::refused(why, "remove them by hand, or name what is to go more narrowly"));
        }
        Ok(steps)
    }

    /// Fails where `path` is a mount point, whose removal would empty another file system.
    pub fn refuse_mounted(&self, path: &HostPath) -> Result<(), Failure> {
        match self.mounts.iter().find(|mount| mount.starts_with(path)) {
            Some(mount) => {
                Err(Failure::refused(format!("a file system is mounted at {mount}"), "unmount it first"))
            }
            None => Ok(()),
        }
    }
}

/// The step that removes one name.
pub fn removed(path: &HostPath, entry: &Entry) -> Step {
    Step::new(Op::Remove { path: path.clone() }).because("ensure", entry.what(), Val::Absent)
}

/// The mount points at or below `top`. A host without /proc is one in memory.
fn mounts(system: &dyn System, top: &HostPath) -> Result<Vec<HostPath>, Failure> {
    let table = HostPath::new(MOUNTS).map_err(|error| Failure::unknown(MOUNTS, error))?;
    let points = once(system, &table, || points(system, &table))?;
    Ok(points.iter().filter(|point| point.starts_with(top)).cloned().collect())
}

/// All mount points.
fn points(system: &dyn System, table: &HostPath) -> Result<Vec<HostPath>, Failure> {
    if system.look(table, Look::Bare)?.is_none() {
        return Ok(Vec::new());
    }
    let text = system.read(table, 16 << 20)?;
    let fifth = |line: &[u8]| line.split(|byte| *byte == b' ').nth(4).map(unescaped);
    let points = text.split(|byte| *byte == b'\n').filter_map(fifth);
    Ok(points.filter_map(|point| HostPath::new(point).ok()).collect())
}

/// Space, tab, newline and backslash stand in octal in that table.
fn unescaped(field: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let octal = tail.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if *first == b'\\' => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    OsString::from_vec(bytes)
}

/// The bytes of `path` below `top`, without a slash in front.
pub fn below<'a>(path: &'a HostPath, top: &HostPath) -> &'a std::path::Path {
    path.as_path().strip_prefix(top.as_path()).unwrap_or(path.as_path())
}
