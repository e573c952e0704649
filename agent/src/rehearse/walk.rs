//! Reads what an upper layer holds: for each name that was touched in the copy, where its old and its new form stand.
//! Formats: the kernel's overlayfs documentation, "whiteouts and opaque directories". It must not judge what matters; `fold` does.

use super::layers::Layers;
use model::Failure;
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{Metadata, read_dir, symlink_metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A name that was touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Touched {
    /// Its path on the machine.
    pub(super) path: PathBuf,
    /// Where the old form can be read; `None` where there is none.
    pub(super) old: Option<PathBuf>,
    /// Where the new form can be read; `None` where there is none.
    pub(super) new: Option<PathBuf>,
}

/// All that was touched, sorted by path.
pub(super) fn touched(layers: &Layers) -> Result<Vec<Touched>, Failure> {
    let mut walk = Walk::default();
    for layer in &layers.all {
        let upper = look(&layer.upper)?;
        walk.pair(&layer.at, Some(&layer.at), &layer.upper);
        if upper.is_some_and(|upper| upper.is_dir()) {
            walk.directory(&layer.at, &layer.upper, Below::Old)?;
        }
    }
    walk.found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(walk.found)
}

/// Whether the directory that holds the names is there on the machine too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    Old,
    New,
}

#[derive(Default)]
struct Walk {
    found: Vec<Touched>,
}

/// `None` where nothing is there.
pub(super) fn look(path: &Path) -> Result<Option<Metadata>, Failure> {
    match symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Failure::io("look at", path.display(), error)),
    }
}

fn names(path: &Path) -> Result<BTreeSet<OsString>, Failure> {
    let list = || -> std::io::Result<_> { read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect() };
    list().map_err(|error| Failure::io("list", path.display(), error))
}

impl Walk {
    fn pair(&mut self, path: &Path, old: Option<&Path>, new: &Path) {
        let old = old.map(Path::to_path_buf);
        self.found.push(Touched { path: path.to_owned(), old, new: Some(new.to_owned()) });
    }

    fn directory(&mut self, path: &Path, upper: &Path, below: Below) -> Result<(), Failure> {
        let names = names(upper)?;
        if below == Below::Old && is_opaque(upper)? {
            self.hidden(path, &names)?;
        }
        for name in names {
            self.entry(&path.join(&name), &upper.join(&name), below)?;
        }
        Ok(())
    }

    /// What is on the machine below an opaque directory and not in it is gone.
    fn hidden(&mut self, path: &Path, kept: &BTreeSet<OsString>) -> Result<(), Failure> {
        names(path)?.difference(kept).try_for_each(|name| self.removed(&path.join(name)))
    }

    fn entry(&mut self, path: &Path, upper: &Path, below: Below) -> Result<(), Failure> {
        let Some(new) = look(upper)? else { return Ok(()) };
        let old = if below == Below::Old { look(path)? } else { None };
        let was_directory = old.as_ref().is_some_and(Metadata::is_dir);
        if is_whiteout(&new) {
            return if old.is_some() { self.removed(path) } else { Ok(()) };
        }
        self.pair(path, old.is_some().then_some(path), upper);
        match (new.is_dir(), was_directory) {
            (true, true) => self.directory(path, upper, Below::Old),
            (true, false) => self.directory(path, upper, Below::New),
            (false, true) => self.hidden(path, &BTreeSet::new()),
            (false, false) => Ok(()),
        }
    }

    fn removed(&mut self, path: &Path) -> Result<(), Failure> {
        let Some(old) = look(path)? else { return Ok(()) };
        self.found.push(Touched { path: path.to_owned(), old: Some(path.to_owned()), new: None });
        if old.is_dir() { self.hidden(path, &BTreeSet::new()) } else { Ok(()) }
    }
}

/// A whiteout is a character device 0/0.
fn is_whiteout(found: &Metadata) -> bool {
    found.file_type().is_char_device() && found.rdev() == 0
}

fn is_opaque(path: &Path) -> Result<bool, Failure> {
    let mut value = [0_u8; 1];
    match rustix::fs::lgetxattr(path, c"trusted.overlay.opaque", &mut value) {
        Ok(length) => Ok(length == 1 && value == *b"y"),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(Failure::io("read the attributes of", path.display(), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::layers::{Layer, Layers};
    use super::touched;
    use std::path::Path;

    #[expect(clippy::disallowed_methods, reason = "a test makes its own files")]
    fn put(root: &Path, name: &str) {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, name).unwrap();
    }

    fn told(machine: &[&str], upper: &[&str]) -> Vec<String> {
        let (at, over) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        machine.iter().for_each(|name| put(at.path(), name));
        upper.iter().for_each(|name| put(over.path(), name));
        let layer = Layer { at: at.path().into(), upper: over.path().into() };
        let found = touched(&Layers { all: vec![layer], notes: Vec::new() }).unwrap();
        let line = |it: &super::Touched| {
            let mark = format!("{}{}", u8::from(it.old.is_some()), u8::from(it.new.is_some()));
            format!("{mark} {}", it.path.strip_prefix(at.path()).unwrap().display())
        };
        found.iter().map(line).collect()
    }

    #[test]
    fn old_and_new_are_paired() {
        assert_eq!(told(&["a/b", "c"], &["a/b", "a/d", "e"]), ["11 ", "11 a", "11 a/b", "01 a/d", "01 e"]);
    }

    #[test]
    fn a_changed_type_takes_all_that_was_below() {
        assert_eq!(told(&["a/b/c"], &["a/b"]), ["11 ", "11 a", "11 a/b", "10 a/b/c"]);
        assert_eq!(told(&["a"], &["a/b"]), ["11 ", "11 a", "01 a/b"]);
    }
}
