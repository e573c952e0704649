//! File ops on a real file system.

use super::{fill, temp_name};
use crate::os::host::Host;
use crate::system::{Attempt, Entry, EntryKind, Look, System};
use model::{Content, Digest, Failure, HostPath, Op, Principal};
use std::ffi::OsStr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use wire::NoBlobs;

struct Here {
    dir: tempfile::TempDir,
    host: Host<'static>,
}

impl Here {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), host: Host::new(Arc::new(NoBlobs)) }
    }

    fn at(&self, name: &str) -> HostPath {
        HostPath::new(self.dir.path().join(name)).unwrap()
    }

    fn run(&self, op: &Op) -> Result<(), Failure> {
        let attempt = Attempt { tag: "run-1".to_owned(), timeout: None };
        self.host.execute(op, &attempt).map(|_| ())
    }

    fn write(&self, name: &str, bytes: &[u8], validate: &[&str]) -> Result<(), Failure> {
        let (owner, group) = me();
        let content = Content::held(bytes.to_vec());
        let validate = validate.iter().map(|it| (*it).to_owned()).collect();
        self.run(&Op::WriteFile { path: self.at(name), content, owner, group, mode: 0o640, validate })
    }

    fn look(&self, name: &str) -> Option<Entry> {
        self.host.look(&self.at(name), Look::Digest).unwrap()
    }

    /// All names, so that no temporary one stays unseen.
    fn names(&self) -> Vec<String> {
        let names = self.host.list(&HostPath::new(self.dir.path()).unwrap()).unwrap();
        names.into_iter().map(|name| name.into_string().unwrap()).collect()
    }
}

fn me() -> (Principal, Principal) {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    (Principal::Number(uid.as_raw()), Principal::Number(gid.as_raw()))
}

#[test]
fn writes_a_file_with_its_mode_and_leaves_nothing_else() {
    let here = Here::new();
    here.write("file", b"one", &[]).unwrap();
    here.write("file", b"two", &["grep", "-q", "two", "{{ path }}"]).unwrap();
    let entry = here.look("file").unwrap();
    assert_eq!(entry.mode, 0o640);
    assert_eq!(entry.kind, EntryKind::File { size: 3, digest: Some(Digest::of(b"two")) });
    assert_eq!(here.names(), ["file"]);
}

#[test]
fn what_the_validator_rejects_never_appears() {
    let here = Here::new();
    here.write("file", b"old", &[]).unwrap();
    let script = "cat {{path}} >&2; exit 3";
    let failure = here.write("file", b"bad words", &["sh", "-c", script]).unwrap_err();
    let Failure::Command { status, stderr, .. } = failure else { panic!("{failure}") };
    assert_eq!((status.as_str(), stderr.as_str()), ("exited with 3", "bad words"));
    assert_eq!(std::fs::read(here.at("file").as_path()).unwrap(), b"old");
    assert_eq!(here.names(), ["file"]);
}

#[test]
fn does_not_write_over_what_is_no_file() {
    let here = Here::new();
    symlink("target", here.dir.path().join("link")).unwrap();
    std::fs::create_dir(here.dir.path().join("dir")).unwrap();
    for name in ["link", "dir"] {
        assert!(matches!(here.write(name, b"x", &[]), Err(Failure::Refused { .. })));
    }
    assert!(here.write("missing/file", b"x", &[]).is_err());
    assert_eq!(here.names(), ["dir", "link"]);
}

#[test]
fn content_that_is_not_stored_is_said_to_be_missing() {
    let here = Here::new();
    let (owner, group) = me();
    let content = Content::Stored(Digest::of(b"x"), 1);
    let op =
        Op::WriteFile { path: here.at("file"), content, owner, group, mode: 0o600, validate: Vec::new() };
    assert!(matches!(here.run(&op), Err(Failure::Missing { .. })));
    assert!(here.names().is_empty());
}

#[test]
fn an_owner_that_nobody_is_is_said_to_be_missing() {
    let here = Here::new();
    here.write("file", b"x", &[]).unwrap();
    let owner = Some(Principal::Name("keel-nobody-here".to_owned()));
    let op = Op::SetAttributes { path: here.at("file"), owner, group: None, mode: None };
    assert_eq!(here.run(&op).unwrap_err().to_string(), "user keel-nobody-here does not exist");
}

#[test]
fn makes_and_removes_directories_and_links() {
    let here = Here::new();
    let (owner, group) = me();
    here.run(&Op::MakeDirectory { path: here.at("dir"), owner, group, mode: 0o2750 }).unwrap();
    assert_eq!(here.look("dir").unwrap().mode, 0o2750);
    if rustix::process::geteuid().is_root() {
        for target in ["first", "second"] {
            here.run(&Op::MakeSymlink { path: here.at("dir/link"), target: target.to_owned() }).unwrap();
        }
        let kind = here.look("dir/link").unwrap().kind;
        assert_eq!(kind, EntryKind::Symlink { target: "second".to_owned() });
        assert!(here.run(&Op::Remove { path: here.at("dir") }).is_err(), "it is not empty");
        here.run(&Op::Remove { path: here.at("dir/link") }).unwrap();
    }
    here.run(&Op::Remove { path: here.at("dir") }).unwrap();
    assert!(here.names().is_empty());
}

#[test]
fn temporary_names_fit_and_tell_whose_they_are() {
    assert_eq!(temp_name(OsStr::new("motd"), "r1-2"), ".motd.keel-r1-2");
    let long = "ä".repeat(127);
    let temp = temp_name(OsStr::new(&long), "20261121T000000-0001-12");
    assert!(temp.len() <= 255 && temp.to_str().unwrap().ends_with(".keel-20261121T000000-0001-12"));
}

#[test]
fn the_path_is_filled_in_wherever_it_stands() {
    let staged = Path::new("/etc/.x");
    assert_eq!(fill("{{ path }}", staged), "/etc/.x");
    assert_eq!(fill("--file={{path}},{{ path}}", staged), "--file=/etc/.x,/etc/.x");
    assert_eq!(fill("{{ other }} {{", staged), "{{ other }} {{");
}
