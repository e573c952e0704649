//! What the file system says: when a name was last written, renamed, or given to somebody (`st_ctim`, inode(7)). By whom it does not keep.

use super::find::Found;
use super::stamp::of_file;
use model::About;
use std::fs::symlink_metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Looks at all that they own.
pub(super) fn find(found: &mut [Found]) {
    for one in found {
        for path in one.paths().map(ToOwned::to_owned).collect::<Vec<_>>() {
            match symlink_metadata(&path) {
                Ok(meta) => {
                    let changed = (meta.ctime(), meta.ctime_nsec());
                    let says = if changed == (meta.mtime(), meta.mtime_nsec()) {
                        "written last".to_owned()
                    } else {
                        "written, renamed or given to somebody last".to_owned()
                    };
                    one.tell(About::When, of_file(changed), (format!("ctime of {}", path.display()), says));
                }
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    tell_gone(one, &path);
                }
                Err(error) => {
                    let says = format!("could not be looked at: {error}");
                    one.tell(About::Unknown, None, (path.display().to_string(), says));
                }
            }
        }
    }
}

/// When something came or went where it was, if that is still there.
fn tell_gone(one: &mut Found, path: &Path) {
    let there = path.parent().and_then(|dir| Some((dir, symlink_metadata(dir).ok()?)));
    if let Some((dir, meta)) = there {
        let from = format!("mtime of {}", dir.display());
        let says = format!("{} is gone, and a name there came or went last", path.display());
        one.tell(About::When, of_file((meta.mtime(), meta.mtime_nsec())), (from, says));
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, find};
    use model::{About, HostPath, Id, Thing};
    use std::os::unix::fs::symlink;

    #[test]
    fn what_cannot_be_looked_at_is_not_said_to_be_gone() {
        let dir = tempfile::tempdir().unwrap();
        symlink("loop", dir.path().join("loop")).unwrap();
        for (name, about, says) in [
            ("loop", About::When, "written last"),
            ("none", About::When, "is gone"),
            ("loop/x", About::Unknown, "could not be looked at"),
        ] {
            let path = HostPath::new(dir.path().join(name)).unwrap();
            let mut all = [Found::new(Id::new("file", "x"), vec![Thing::Path(path)])];
            find(&mut all);
            let traces: Vec<_> = all[0].traces.iter().collect();
            assert!(traces.len() == 1 && traces[0].about == about, "{name}: {traces:?}");
            assert!(traces[0].says.contains(says), "{name}: {traces:?}");
        }
    }
}
