//! `rollback`: the very bytes, modes and owners of before, and what somebody else did since is not lost.

use crate::scratch::Scratch;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

const SITE: &str = "[directory.\"HOST/d\"]\nmode = \"0755\"\n[file.\"HOST/a\"]\ncontent = \"new\\n\"\n\
                    [file.\"HOST/d/b\"]\ncontent = \"b\"\n[symlink.\"HOST/l\"]\ntarget = \"new\"\n";
const BYTES: &[u8] = b"\xff\xfe old\r\nno end";

fn old_host() -> Scratch {
    let scratch = Scratch::of(SITE);
    let file = scratch.host("a");
    fs::write(&file, BYTES).expect("written");
    chown(&file, Some(12), Some(34)).expect("root may");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o4751)).expect("root may");
    symlink("old", scratch.host("l")).expect("made");
    scratch
}

#[test]
fn brings_back_bytes_mode_and_owner() {
    let scratch = old_host();
    scratch.fine("apply", &["--yes"]);
    assert_eq!(fs::read(scratch.host("a")).expect("it is there"), b"new\n");
    scratch.fine("rollback", &["--yes"]);
    let meta = fs::metadata(scratch.host("a")).expect("it is there");
    assert_eq!(fs::read(scratch.host("a")).expect("it is there"), BYTES);
    assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o7777), (12, 34, 0o4751));
    assert_eq!(fs::read_link(scratch.host("l")).expect("a link").as_os_str(), "old");
    assert!(!scratch.host("d").exists());
    // A rollback is a run like any other: it can be rolled back too.
    scratch.fine("rollback", &["--yes"]);
    assert_eq!(fs::read(scratch.host("d/b")).expect("it is there"), b"b");
    assert_eq!(scratch.fine("plan", &[]).out, "as desired: 4 unchanged\n");
}

#[test]
fn refuses_to_lose_what_somebody_did_since() {
    let scratch = old_host();
    scratch.fine("apply", &["--yes"]);
    fs::write(scratch.host("a"), "by hand").expect("written");
    let ran = scratch.keel("rollback", &["--yes"]);
    assert!(ran.code == 1 && ran.out.contains("was changed since"), "{ran:?}");
    assert_eq!(fs::read(scratch.host("a")).expect("it is there"), b"by hand");
    scratch.fine("rollback", &["1", "--yes", "--force"]);
    assert_eq!(fs::read(scratch.host("a")).expect("it is there"), BYTES);
}
