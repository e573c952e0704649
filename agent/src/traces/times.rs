//! What the file system says: when a name was last written, renamed, or given to somebody (`st_ctim`, inode(7)). By whom it does not keep.

use super::find::Found;
use super::stamp::of_file;
use model::About;
use std::fs::symlink_metadata;
use std::os::unix::fs::MetadataExt;

/// Looks at all that they own.
pub(super) fn find(found: &mut [Found]) {
    for one in found {
        for path in one.paths().map(ToOwned::to_owned).collect::<Vec<_>>() {
            if let Ok(meta) = symlink_metadata(&path) {
                let changed = (meta.ctime(), meta.ctime_nsec());
                let says = if changed == (meta.mtime(), meta.mtime_nsec()) {
                    "written last".to_owned()
                } else {
                    "written, renamed or given to somebody last".to_owned()
                };
                one.tell(About::When, of_file(changed), (format!("ctime of {}", path.display()), says));
            } else if let Some((dir, meta)) =
                path.parent().and_then(|dir| Some((dir, symlink_metadata(dir).ok()?)))
            {
                let from = format!("mtime of {}", dir.display());
                let says = format!("{} is gone, and a name there came or went last", path.display());
                one.tell(About::When, of_file((meta.mtime(), meta.mtime_nsec())), (from, says));
            }
        }
    }
}
