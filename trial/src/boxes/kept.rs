//! Boxes that were left to be looked at: how each is entered and removed, a file each in the user's state directory. It makes none.

use super::driver::unmade;
use agent::os::child::Child;
use model::Failure;
use serde::{Deserialize, Serialize};
use std::env::{var_os, vars_os};
use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A box that outlives the call that made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// The command line that enters it, for a user's shell.
    pub enter: String,
    /// What removes it, and does nothing where it is gone; empty where nothing of it was made.
    pub remove: Vec<String>,
    /// What is no longer in it as it was while it was tested.
    pub note: String,
}

impl Kept {
    /// Removes it.
    ///
    /// # Errors
    /// What its command said.
    fn end(&self) -> Result<(), Failure> {
        if self.remove.is_empty() {
            return Ok(());
        }
        let mut child = Child::new(&self.remove);
        child.env = vars_os().collect();
        child.run()?.success().map(|_| ())
    }

    /// Writes it down, where there is something to remove later.
    ///
    /// # Errors
    /// It could not be written; the box is removed then, as nobody would know of it.
    pub fn written(self) -> Result<Self, Failure> {
        if self.remove.is_empty() {
            return Ok(self);
        }
        match Shelf::usual().and_then(|shelf| shelf.put(&self)) {
            Ok(()) => Ok(self),
            Err(failure) => Err(unmade(failure, self.end())),
        }
    }
}

/// What `keel` writes down of its own on this machine for this user: `$XDG_STATE_HOME/evenkeel`, or else below `~/.local/state` (XDG Base
/// Directory Specification).
///
/// # Errors
/// Neither is known.
pub fn state() -> Result<PathBuf, Failure> {
    let absolute = |name| var_os(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    let why = "nothing says where it is to be written down which boxes there are";
    state.map(|state| state.join("evenkeel")).ok_or_else(|| Failure::refused(why, "set HOME"))
}

/// Where it is written down which boxes there are.
#[derive(Clone, Debug)]
pub struct Shelf {
    dir: PathBuf,
}

impl Shelf {
    /// The user's own.
    ///
    /// # Errors
    /// There is no place for it.
    pub fn usual() -> Result<Self, Failure> {
        state().map(|state| Self::at(&state.join("boxes")))
    }

    /// This directory; it need not be there.
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Writes one down, whole or not at all.
    ///
    /// # Errors
    /// It could not be written.
    pub fn put(&self, kept: &Kept) -> Result<(), Failure> {
        let path = self.path(kept);
        let fresh = path.with_extension("new");
        let failed = |error| Failure::io("write", path.display(), error);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir).map_err(failed)?;
        let text = serde_json::to_vec(kept).map_err(|error| failed(error.into()))?;
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh);
        file.and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all())).map_err(failed)?;
        fs::rename(&fresh, &path).map_err(failed)
    }

    fn path(&self, kept: &Kept) -> PathBuf {
        self.dir.join(format!("{}.json", kept.name))
    }

    /// All there are, by their names.
    ///
    /// # Errors
    /// One could not be read.
    pub fn all(&self) -> Result<Vec<Kept>, Failure> {
        let failed = |path: &Path, error| Failure::io("read", path.display(), error);
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&self.dir, error)),
        };
        let mut all = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| failed(&self.dir, error))?.path();
            // One whose writing has not come to its end is of no box.
            if path.extension() != Some(OsStr::new("json")) {
                continue;
            }
            let bytes = fs::read(&path).map_err(|error| failed(&path, error))?;
            let kept: Kept = serde_json::from_slice(&bytes).map_err(|error| failed(&path, error.into()))?;
            all.push(kept);
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// Removes the box, and what is written of it.
    ///
    /// # Errors
    /// It could not be removed; it stays written down then.
    pub fn remove(&self, kept: &Kept) -> Result<(), Failure> {
        kept.end()?;
        let path = self.path(kept);
        fs::remove_file(&path).map_err(|error| Failure::io("remove", path.display(), error))
    }
}

#[expect(clippy::disallowed_methods, reason = "files of a test's own")]
#[cfg(test)]
mod tests {
    use super::{Kept, Shelf};

    #[test]
    fn what_is_kept_is_found_until_it_is_removed() {
        let dir = std::env::temp_dir().join(format!("keel-shelf-{}", std::process::id()));
        let shelf = Shelf::at(&dir);
        assert_eq!(shelf.all().unwrap(), []);
        let kept = |name: &str, end: &str| Kept {
            name: name.to_owned(),
            enter: "sh".to_owned(),
            remove: ["sh", "-c", end].map(str::to_owned).to_vec(),
            note: String::new(),
        };
        let (one, other) = (kept("b", "true"), kept("a", "exit 3"));
        shelf.put(&one).unwrap();
        shelf.put(&other).unwrap();
        std::fs::write(dir.join("c.new"), "{\"name\":").unwrap();
        assert_eq!(shelf.all().unwrap(), [other.clone(), one.clone()]);
        shelf.remove(&one).unwrap();
        shelf.remove(&other).unwrap_err();
        assert_eq!(shelf.all().unwrap(), [other]);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
