//! The directories in a directory: what is watched of one that a resource has all of. It watches nothing itself.

use crate::interest::Found;
use std::fs::{read_dir, symlink_metadata};
use std::path::Path;

/// So many of them are watched, at most.
const MOST: usize = 1000;

/// Directories in a directory, at any depth, as far as they can be read; `None` where it is none.
pub fn below(dir: &Path) -> Option<Found> {
    symlink_metadata(dir).ok().filter(std::fs::Metadata::is_dir)?;
    let (mut found, mut next) = (Found::default(), vec![dir.to_owned()]);
    while let Some(dir) = next.pop() {
        let Ok(entries) = read_dir(&dir) else { continue };
        let dirs = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        for path in dirs.map(|entry| entry.path()) {
            if found.dirs.len() == MOST {
                found.is_cut = true;
                return Some(found);
            }
            found.dirs.push(path.clone());
            next.push(path);
        }
    }
    Some(found)
}

#[expect(clippy::disallowed_methods, reason = "prepares scratch files")]
#[cfg(test)]
mod tests {
    use super::{MOST, below};

    #[test]
    fn it_is_known_where_there_are_more_than_are_watched() {
        let dir = tempfile::tempdir().unwrap();
        assert!(below(&dir.path().join("none")).is_none());
        std::fs::write(dir.path().join("file"), "x").unwrap();
        std::os::unix::fs::symlink("/", dir.path().join("link")).unwrap();
        assert!(below(&dir.path().join("link")).is_none(), "what is elsewhere is not below");
        for at in 0..MOST {
            std::fs::create_dir(dir.path().join(at.to_string())).unwrap();
        }
        let found = below(dir.path()).unwrap();
        assert_eq!((found.dirs.len(), found.is_cut), (MOST, false));
        std::fs::create_dir_all(dir.path().join("0/more")).unwrap();
        assert!(below(dir.path()).unwrap().is_cut);
    }
}
