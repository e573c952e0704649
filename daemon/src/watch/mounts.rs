//! What is mounted: the kernel tells that something of it changed by poll(2) (proc_pid_mountinfo(5)), and not what; so the lines about the
//! claimed places are compared with what they were. It decides nothing.

use model::Failure;
use rustix::fd::{AsFd, BorrowedFd};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The table of the mounts that this process sees.
const TABLE: &str = "/proc/self/mountinfo";

/// The claimed places.
#[derive(Default)]
pub struct Mounts {
    /// Open while there are any.
    file: Option<File>,
    /// The last line about each, which hides those before it; empty for none.
    known: BTreeMap<PathBuf, Vec<u8>>,
    is_stirred: bool,
}

impl Mounts {
    /// Watches these from now on. What was known of them stays known: what changed meanwhile is told.
    ///
    /// # Errors
    /// The kernel does not show what is mounted.
    pub fn mind<'a>(&mut self, paths: impl Iterator<Item = &'a Path>) -> Result<(), Failure> {
        let failed = |error| Failure::io("watch", TABLE, error);
        let paths: BTreeSet<PathBuf> = paths.map(Path::to_owned).collect();
        if paths.is_empty() {
            *self = Self::default();
            return Ok(());
        }
        if self.file.is_none() {
            self.file = Some(File::open(TABLE).map_err(failed)?);
        }
        let mut now = lines(&std::fs::read(TABLE).map_err(failed)?, paths.iter());
        now.extend(std::mem::take(&mut self.known).into_iter().filter(|(path, _)| paths.contains(path)));
        self.known = now;
        self.is_stirred = true;
        Ok(())
    }

    /// What is ready for `POLLPRI` when something changed.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(AsFd::as_fd)
    }

    /// It was ready: the kernel tells so once.
    pub fn stir(&mut self) {
        self.is_stirred = true;
    }

    /// The places where something else is mounted than was.
    ///
    /// # Errors
    /// It cannot be told.
    pub fn happened(&mut self) -> Result<Vec<PathBuf>, Failure> {
        if !std::mem::take(&mut self.is_stirred) {
            return Ok(Vec::new());
        }
        let table = std::fs::read(TABLE).map_err(|error| Failure::io("read", TABLE, error))?;
        let now = lines(&table, self.known.keys());
        let before = std::mem::replace(&mut self.known, now);
        let changed = before.into_iter().filter(|(path, line)| self.known.get(path) != Some(line));
        Ok(changed.map(|(path, _)| path).collect())
    }
}

/// The last line about each of `paths`.
fn lines<'a>(table: &[u8], paths: impl Iterator<Item = &'a PathBuf>) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found: BTreeMap<PathBuf, Vec<u8>> = paths.map(|path| (path.clone(), Vec::new())).collect();
    let mut places: BTreeMap<Vec<u8>, &mut Vec<u8>> =
        found.iter_mut().map(|(path, line)| (escaped(path), line)).collect();
    for line in table.split(|byte| *byte == b'\n') {
        let at = line.split(|byte| *byte == b' ').nth(4);
        if let Some(known) = at.and_then(|at| places.get_mut(at)) {
            **known = line.to_vec();
        }
    }
    found
}

/// As the table has it: space, tab, newline and backslash in three octal digits.
fn escaped(path: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => out.extend(format!("\\{byte:03o}").bytes()),
            byte => out.push(*byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Mounts, lines};
    use std::path::{Path, PathBuf};

    #[test]
    fn the_last_line_about_a_place_counts() {
        let table = b"1 2 0:1 / /a rw - x y z\n2 2 0:2 / /a ro - x y z\n3 2 0:3 / /a\\040b rw - x y z\n";
        let paths = ["/a", "/a b", "/none"].map(PathBuf::from);
        let found = lines(table, paths.iter());
        let of = |path: &str| String::from_utf8(found[Path::new(path)].clone()).unwrap();
        assert_eq!(
            [of("/a"), of("/a b"), of("/none")],
            ["2 2 0:2 / /a ro - x y z", "3 2 0:3 / /a\\040b rw - x y z", ""]
        );
    }

    #[test]
    fn what_is_as_it_was_is_not_told() {
        let mut mounts = Mounts::default();
        assert!(mounts.fd().is_none());
        mounts.mind([Path::new("/proc"), Path::new("/nowhere")].into_iter()).unwrap();
        assert!(mounts.fd().is_some());
        assert_eq!(mounts.happened().unwrap(), Vec::<PathBuf>::new());
        mounts.known.insert(PathBuf::from("/proc"), b"another".to_vec());
        assert_eq!(mounts.happened().unwrap(), Vec::<PathBuf>::new(), "nobody said that anything changed");
        mounts.stir();
        assert_eq!(mounts.happened().unwrap(), [PathBuf::from("/proc")]);
        mounts.mind(std::iter::empty()).unwrap();
        assert!(mounts.fd().is_none());
    }
}
