//! A host on which everything happens that a run can do to files, and where faults can come to it.

use crate::scratch::{Scratch, walk};
use rustix::fs::{XattrFlags, getxattr, setxattr};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

const SITE: &str = r#"
[directory."HOST/d"]
mode = "0750"
[file."HOST/d/new"]
content = "new\n"
[file."HOST/old"]
content = "new\n"
mode = "0640"
notify = ["exec.count"]
[file."HOST/mode"]
content = "same\n"
mode = "0600"
[file."HOST/gone"]
ensure = "absent"
[file."HOST/secret"]
content = "new secret"
sensitive = true
[symlink."HOST/link"]
target = "new"
[line.edited]
path = "HOST/lines"
line = "b = 2"
match = "^b ="
[exec.count]
command = ["/bin/sh", "-c", "echo x >> HOST/count"]
refresh_only = true
undo = ["rm", "-f", "HOST/count"]
"#;

/// Where a write of a file can be cut off, or fail.
pub const WRITE: [&str; 8] = [
    "write.create",
    "write.created",
    "write.written",
    "write.fsync",
    "write.synced",
    "write.rename",
    "write.renamed",
    "write.done",
];

/// Where other changes can.
pub const CHANGE: [&str; 8] = [
    "make.before",
    "make.after",
    "link.created",
    "link.rename",
    "attributes.before",
    "attributes.after",
    "remove.before",
    "remove.after",
];

/// Where the journal can: before a record is written, before it is durable, and after that.
pub const JOURNAL: [&str; 8] = [
    "journal.create",
    "journal.fill",
    "journal.created",
    "journal.append",
    "journal.sync",
    "journal.appended",
    "closing.create",
    "closing.write",
];

/// What tells one state of a thing from another: type and mode, owner, bytes or target, an attribute.
pub type Looks = (u32, (u32, u32), Vec<u8>, Vec<u8>);

/// The host as it was before any run.
pub fn old_host() -> Scratch {
    let scratch = Scratch::of(SITE);
    for (name, content, mode) in [
        ("old", &b"\xff\xfe old\r\n"[..], 0o4751),
        ("mode", b"same\n", 0o644),
        ("gone", b"gone\0", 0o2604),
        ("secret", b"old secret", 0o440),
        ("lines", b"a = 1\r\nb = 1\r\nc = 1", 0o664),
    ] {
        let path = scratch.host(name);
        fs::write(&path, content).expect("written");
        chown(&path, Some(12), Some(34)).expect("root may");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("root may");
        setxattr(&path, "user.keel", name.as_bytes(), XattrFlags::empty()).expect("set");
    }
    symlink("old", scratch.host("link")).expect("made");
    scratch
}

/// All that is on the host.
pub fn looks(scratch: &Scratch) -> BTreeMap<PathBuf, Looks> {
    let (top, mut found) = (scratch.host(""), BTreeMap::new());
    walk(&top, &mut |path, meta| {
        let name = path.strip_prefix(&top).expect("it is below").to_owned();
        let owner = (meta.uid(), meta.gid());
        found.insert(name, (meta.mode(), owner, bytes(path, meta), attribute(path, meta)));
    });
    found
}

fn bytes(path: &Path, meta: &fs::Metadata) -> Vec<u8> {
    if meta.is_symlink() {
        return fs::read_link(path).expect("a link").into_os_string().into_encoded_bytes();
    }
    if meta.is_file() { fs::read(path).expect("root reads") } else { Vec::new() }
}

fn attribute(path: &Path, meta: &fs::Metadata) -> Vec<u8> {
    let mut value = vec![0; 64];
    let length = if meta.is_file() { getxattr(path, "user.keel", &mut value[..]).unwrap_or(0) } else { 0 };
    value.truncate(length);
    value
}

/// Whether everything is as in one of two states; temporary files and directories under way do not count.
#[track_caller]
pub fn assert_old_or_new(
    scratch: &Scratch,
    (old, new): (&BTreeMap<PathBuf, Looks>, &BTreeMap<PathBuf, Looks>),
) {
    let now = looks(scratch);
    for name in old.keys().chain(new.keys()).filter(|name| !name.ends_with("d") && !name.ends_with("count")) {
        let here = now.get(name);
        assert!(here == old.get(name) || here == new.get(name), "{name:?}: {here:?}");
    }
    for name in now.keys().filter(|name| !old.contains_key(*name) && !new.contains_key(*name)) {
        assert!(name.to_string_lossy().contains(".keel-"), "{name:?}");
    }
}
