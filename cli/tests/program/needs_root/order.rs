//! Whether the calls of a run that write come in an order that survives a power cut at any of them.

use super::tracer::Call;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What is known of the disk after the calls so far.
#[derive(Default)]
struct Disk {
    /// Inodes that hold bytes which were not synced.
    unsynced: BTreeSet<u64>,
    /// Directories with names that were not synced.
    loose: BTreeSet<PathBuf>,
    /// True once an intent is durable that no `done` has followed.
    announced: bool,
    /// An intent, or a `done`, that was written and is not synced.
    pending: bool,
}

/// Each rename of a file comes after its sync; each `done` after the sync of the directories whose names changed; each
/// change of the host after an intent that is durable.
#[track_caller]
pub fn assert_order(place: &str, calls: &[Call]) {
    let mut disk = Disk::default();
    for (at, call) in calls.iter().enumerate() {
        let told = || format!("{place}, call {at}: {call:?}\nof {calls:#?}");
        disk.take(call, &told);
    }
}

fn has(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

fn above(path: &Path) -> PathBuf {
    path.parent().expect("it is below the root").to_owned()
}

impl Disk {
    #[track_caller]
    fn take(&mut self, call: &Call, told: &dyn Fn() -> String) {
        let is_journal = call.path.file_name().is_some_and(|name| name == "journal");
        let on_host = call.path.iter().any(|part| part == "host");
        let is_sync = call.name.ends_with("sync");
        assert!(!on_host || is_sync || self.announced, "it was not announced: {}", told());
        match call.name {
            "write" if is_journal => {
                let done = has(&call.bytes, r#"{"done""#);
                let loose: Vec<_> =
                    self.loose.iter().filter(|path| path.iter().any(|part| part == "host")).collect();
                assert!(!done || loose.is_empty(), "{loose:?} were not synced: {}", told());
                self.pending = has(&call.bytes, r#"{"intent""#);
            }
            "fsync" | "fdatasync" if is_journal => self.announced |= std::mem::take(&mut self.pending),
            "fsync" | "fdatasync" => {
                self.loose.remove(&call.path);
                self.unsynced.retain(|inode| Some(*inode) != call.inode);
            }
            "write" | "ftruncate" => self.unsynced.extend(call.inode),
            "rename" | "renameat" | "link" | "linkat" => {
                let synced = call.inode.is_none_or(|inode| !self.unsynced.contains(&inode));
                assert!(synced, "its bytes were not synced: {}", told());
                self.loose
                    .extend([Some(above(&call.path)), call.to.as_deref().map(above)].into_iter().flatten());
            }
            "symlinkat" | "unlinkat" | "mkdirat" | "mknodat" => {
                self.loose.insert(above(&call.path));
            }
            _ => {}
        }
    }
}
