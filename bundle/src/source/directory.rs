//! A directory: on this machine, mounted, or one that a web server hands out.

use super::place::{Limit, Source};
use crate::refusal::Refusal;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// A directory.
pub struct Directory(PathBuf);

impl Directory {
    /// That one; it need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

impl Source for Directory {
    fn place(&self) -> String {
        self.0.display().to_string()
    }

    fn get(&self, name: &str, most: Limit, to: &mut dyn Write) -> Result<Option<u64>, Refusal> {
        let path = self.0.join(name);
        let cannot = |error| Refusal::io("read", path.display(), error);
        // A FIFO would wait for ever, a device may never end.
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Ok(meta) if !meta.is_file() => return Err(Refusal::io("read", path.display(), "it is no file")),
            meta => meta.map_err(cannot)?,
        };
        let mut file = File::open(&path).map_err(cannot)?.take(most + 1);
        let size = std::io::copy(&mut file, to).map_err(cannot)?;
        if size > most {
            return Err(Refusal::TooLarge { size, most });
        }
        Ok(Some(size))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Refusal> {
        std::fs::create_dir_all(&self.0).map_err(|error| Refusal::io("make", self.0.display(), error))?;
        let cannot = |error| Refusal::io("write", self.0.join(name).display(), error);
        let permissions = std::fs::Permissions::from_mode(0o644);
        let mut temporary = tempfile::Builder::new();
        let mut file =
            temporary.prefix(".keel-").permissions(permissions).tempfile_in(&self.0).map_err(cannot)?;
        file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
        file.persist(self.0.join(name)).map_err(|error| cannot(error.error))?;
        File::open(&self.0).and_then(|dir| dir.sync_all()).map_err(cannot)
    }
}
