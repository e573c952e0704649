//! The directories in a directory: what is watched of one that a resource has all of. It watches nothing itself.

use crate::interest::{Found, TOO_MANY};
use std::fs::{read_dir, symlink_metadata};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// So many of them are watched, at most.
const MOST: usize = 1000;

/// Directories in a directory, at any depth; `None` where it is none. What of it cannot be listed is told: nobody knows what is in there.
pub fn below(dir: &Path) -> Option<Found> {
    match symlink_metadata(dir) {
        Ok(meta) if meta.is_dir() => {}
        Err(error) if !is_gone(&error) => return Some(Found::without(dir, error.to_string())),
        _ => return None,
    }
    let (mut found, mut next) = (Found::default(), vec![dir.to_owned()]);
    while let Some(from) = next.pop() {
        let (dirs, trouble) = directories(&from);
        // One that went meanwhile is none.
        if let Some(error) = trouble.filter(|error| !is_gone(error)) {
            found.unwatched.insert(from, format!("what is in it cannot be listed: {error}"));
        }
        for path in dirs {
            if found.dirs.len() == MOST {
                found.unwatched.insert(dir.to_owned(), TOO_MANY.to_owned());
                return Some(found);
            }
            found.dirs.push(path.clone());
            next.push(path);
        }
    }
    Some(found)
}

/// Those right in it, as far as they are told, and what kept the others from being.
fn directories(dir: &Path) -> (Vec<PathBuf>, Option<Error>) {
    let (mut dirs, mut trouble) = (Vec::new(), None);
    match read_dir(dir) {
        Ok(entries) => {
            for entry in entries {
                match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
                    Ok((path, kind)) if kind.is_dir() => dirs.push(path),
                    Err(error) if !is_gone(&error) => trouble = Some(error),
                    _ => {}
                }
            }
        }
        Err(error) => trouble = Some(error),
    }
    (dirs, trouble)
}

fn is_gone(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[expect(clippy::disallowed_methods, reason = "prepares scratch files")]
#[cfg(test)]
mod tests {
    use super::{MOST, below};
    use rustix::process::{WaitId, WaitIdOptions};
    use std::path::PathBuf;

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
        assert_eq!((found.dirs.len(), found.unwatched.len()), (MOST, 0));
        std::fs::create_dir_all(dir.path().join("0/more")).unwrap();
        assert!(below(dir.path()).unwrap().unwatched.contains_key(dir.path()));
    }

    /// The kernel lists the networks of nobody who has ended (`EINVAL`), to root neither.
    #[test]
    fn one_that_cannot_be_listed_is_not_taken_for_empty() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
        let net = PathBuf::from(format!("/proc/{}/net", child.id()));
        let found = below(&net).unwrap();
        child.wait().unwrap();
        let (dir, why) = found.unwatched.first_key_value().expect("it is told");
        assert!(*dir == net && why.starts_with("what is in it cannot be listed: "), "{dir:?}: {why}");
    }
}
