//! Looking at paths of the running system. It opens only regular files, and never waits for one.
//!
//! This is the hot path of a run that finds nothing to do: a file costs a stat, an open, one read and a close.

use crate::os::OsError;
use crate::os::meta::{FileKind, Meta};
use crate::os::safe_path::{self, Follow};
use crate::os::xattr::{self, Xattrs};
use crate::system::{Compared, Entry, EntryKind, Look, Whole};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Digest, Failure, Gather, Hasher, HostPath};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

const CHUNK: usize = 64 << 10;

thread_local! {
    /// One buffer a thread: a thousand small files need no thousand of them.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK]);
}

pub(super) fn look(path: &HostPath, look: Look) -> Result<Option<Entry>, Failure> {
    let follow = if look == Look::Follow { Follow::Yes } else { Follow::No };
    if look == Look::Bare {
        return bare(path, follow);
    }
    let Some((file, meta)) = open(path, follow)? else { return bare(path, follow) };
    let (size, digest) = through(file, &meta, None).map_err(|error| Failure::io("read", path, error))?;
    Ok(Some(entry(&meta, EntryKind::File { size, digest })))
}

/// A file that holds just `wanted` has no digest in the answer.
pub(super) fn compare(path: &HostPath, wanted: &[u8]) -> Result<Compared, Failure> {
    let Some((file, meta)) = open(path, Follow::No)? else {
        return Ok(Compared { entry: bare(path, Follow::No)?, is_same: false });
    };
    let found = through(file, &meta, Some(wanted));
    let (size, digest) = found.map_err(|error| Failure::io("read", path, error))?;
    let entry = entry(&meta, EntryKind::File { size, digest });
    Ok(Compared { entry: Some(entry), is_same: digest.is_none() })
}

/// A regular file for reading; `None` where there is none.
fn open(path: &HostPath, follow: Follow) -> Result<Option<(File, Meta)>, Failure> {
    match safe_path::open_file(path.as_path(), follow) {
        Err(OsError::WrongKind { .. }) => Ok(None),
        found => Ok(found?),
    }
}

fn bare(path: &HostPath, follow: Follow) -> Result<Option<Entry>, Failure> {
    let Some(meta) = safe_path::look(path.as_path(), follow)? else { return Ok(None) };
    let special = |what: &str| EntryKind::Special { what: what.to_owned() };
    let kind = match meta.kind() {
        // With a digest asked for, it was something else a moment ago; then it is left without one.
        FileKind::File => EntryKind::File { size: meta.size, digest: None },
        FileKind::Directory => EntryKind::Directory,
        FileKind::Symlink => match safe_path::read_link(path.as_path())? {
            // What is no clean text could neither be compared nor made again.
            Some(target) => match target.to_str().filter(|target| !target.contains(char::is_control)) {
                Some(target) => EntryKind::Symlink { target: target.to_owned() },
                None => special(&format!("symlink to {}", escaped(target.as_os_str().as_bytes()))),
            },
            None => return Ok(None),
        },
        FileKind::Fifo => special("fifo"),
        FileKind::Socket => special("socket"),
        FileKind::CharDevice => special("character device"),
        FileKind::BlockDevice => special("block device"),
        FileKind::Unknown => special("file of unknown type"),
    };
    Ok(Some(entry(&meta, kind)))
}

fn entry(meta: &Meta, kind: EntryKind) -> Entry {
    // The kernel shows 0777 for a link on most file systems and means nothing by it.
    let mode = if meta.kind() == FileKind::Symlink { 0o777 } else { meta.mode };
    Entry { kind, uid: meta.uid, gid: meta.gid, mode }
}

/// Size and digest of what was read; no digest where that is just `wanted`. A file that is as long as `fstat` said needs no further
/// read to find its end.
fn through(mut file: File, meta: &Meta, wanted: Option<&[u8]>) -> std::io::Result<(u64, Option<Digest>)> {
    BUFFER.with_borrow_mut(|buffer| {
        let mut sum = Sum::against(wanted);
        loop {
            let count = match file.read(buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            sum.take(&buffer[..count]);
            // Files of /proc and /sys say 0 or 4096 whatever they hold: only an end of file is believed there.
            if count == 0 || (sum.total as u64 == meta.size && count < CHUNK && meta.size != 4096) {
                return Ok((sum.total as u64, sum.finish()));
            }
        }
    })
}

/// What was read so far: as long as it is the beginning of what is wanted there is nothing to compute.
struct Sum<'a> {
    wanted: &'a [u8],
    total: usize,
    hasher: Option<Hasher>,
}

impl<'a> Sum<'a> {
    fn against(wanted: Option<&'a [u8]>) -> Self {
        let hasher = wanted.is_none().then(Hasher::default);
        Self { wanted: wanted.unwrap_or(&[]), total: 0, hasher }
    }

    fn take(&mut self, bytes: &[u8]) {
        let is_wanted = self.hasher.is_none() && self.wanted[self.total..].starts_with(bytes);
        if !is_wanted {
            self.hasher().update(bytes);
        }
        self.total += bytes.len();
    }

    /// From here on it is another file than the wanted one, which it was like up to here.
    fn hasher(&mut self) -> &mut Hasher {
        let alike = &self.wanted[..self.total.min(self.wanted.len())];
        self.hasher.get_or_insert_with(|| {
            let mut hasher = Hasher::default();
            hasher.update(alike);
            hasher
        })
    }

    fn finish(mut self) -> Option<Digest> {
        if self.hasher.is_none() && self.total == self.wanted.len() {
            return None;
        }
        self.hasher();
        self.hasher.map(Hasher::finish)
    }
}

/// A link's target for people and for JSON: as `HostPath` shows itself, also where it is relative.
fn escaped(target: &[u8]) -> String {
    let mut out = String::new();
    for chunk in target.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() {
                out.extend(character.escape_default());
            } else {
                out.push(character);
            }
        }
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    }
    out
}

pub(super) fn read(path: &HostPath, limit: u64) -> Result<Vec<u8>, Failure> {
    match safe_path::read_file(path.as_path(), Follow::No, limit)? {
        Some((bytes, _)) => Ok(bytes),
        None => Err(Failure::Missing { what: path.to_string() }),
    }
}

/// One object, opened once.
pub(super) fn whole(path: &HostPath, limit: u64) -> Result<Option<Whole>, Failure> {
    let (file, meta) = match open(path, Follow::No)? {
        Some((file, meta)) if meta.size <= limit => (file, meta),
        _ => return Ok(bare(path, Follow::No)?.map(|entry| Whole { entry, held: None })),
    };
    let xattrs = xattr::read(&file).map_err(|error| Failure::io("read the attributes of", path, error))?;
    let bytes = safe_path::read_open(path.as_path(), file, (&meta, limit))?;
    let entry = entry(&meta, EntryKind::File { size: meta.size, digest: None });
    Ok(Some(Whole { entry, held: Some((coded(xattrs), bytes)) }))
}

pub(super) fn list(path: &HostPath) -> Result<Vec<OsString>, Failure> {
    let names = safe_path::list(path.as_path(), Follow::No)?;
    names.ok_or_else(|| Failure::Missing { what: path.to_string() })
}

/// None of a link or special file: those cannot be carried.
pub(super) fn xattrs(path: &HostPath) -> Result<BTreeMap<String, String>, Failure> {
    let Some(node) = safe_path::open_node(path.as_path(), Follow::No)? else { return Ok(BTreeMap::new()) };
    if !matches!(node.meta.kind(), FileKind::File | FileKind::Directory) {
        return Ok(BTreeMap::new());
    }
    let found =
        xattr::read_node(&node).map_err(|error| Failure::io("read the attributes of", path, error))?;
    Ok(coded(found))
}

fn coded(found: Xattrs) -> BTreeMap<String, String> {
    let coded = |(name, value): (OsString, Vec<u8>)| (escaped(name.as_bytes()), STANDARD.encode(value));
    found.into_iter().map(coded).gather()
}

#[cfg(test)]
mod tests {
    use super::{compare, list, look, read, xattrs};
    use crate::system::{Compared, EntryKind, Look};
    use model::{Digest, HostPath};
    use std::os::unix::fs::symlink;

    struct Here(tempfile::TempDir);

    impl Here {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn at(&self, name: &str) -> HostPath {
            HostPath::new(self.0.path().join(name)).unwrap()
        }

        #[expect(clippy::disallowed_methods, reason = "a test makes its own files")]
        fn put(&self, name: &str, bytes: &[u8]) -> HostPath {
            std::fs::write(self.0.path().join(name), bytes).unwrap();
            self.at(name)
        }

        fn kind(&self, name: &str, how: Look) -> Option<EntryKind> {
            look(&self.at(name), how).unwrap().map(|entry| entry.kind)
        }
    }

    #[test]
    fn digests_files_of_every_length() {
        let here = Here::new();
        for size in [0, 1, 1024, 4096, 65535, 65536, 65537, 200_000] {
            let bytes: Vec<u8> = (0..size).map(|at| at as u8).collect();
            here.put("file", &bytes);
            let expected = EntryKind::File { size: size as u64, digest: Some(Digest::of(&bytes)) };
            assert_eq!(here.kind("file", Look::Digest), Some(expected));
        }
        assert!(matches!(here.kind("file", Look::Bare), Some(EntryKind::File { digest: None, .. })));
    }

    #[test]
    fn only_the_wanted_bytes_are_the_same() {
        let here = Here::new();
        for size in [0, 1, 1024, 4096, 65535, 65536, 65537, 200_000] {
            let wanted: Vec<u8> = (0..size).map(|at| at as u8).collect();
            let mut others = vec![[&wanted[..], b"x"].concat()];
            if let Some((last, but_last)) = wanted.split_last() {
                others.extend([but_last.to_vec(), [but_last, &[!last]].concat(), vec![!0; size]]);
            }
            here.put("file", &wanted);
            let Compared { entry, is_same } = compare(&here.at("file"), &wanted).unwrap();
            assert!(is_same && entry.unwrap().kind == EntryKind::File { size: size as u64, digest: None });
            for other in others {
                here.put("file", &other);
                let found = compare(&here.at("file"), &wanted).unwrap();
                let kind = EntryKind::File { size: other.len() as u64, digest: Some(Digest::of(&other)) };
                assert!(!found.is_same && found.entry.unwrap().kind == kind, "{size}");
            }
        }
    }

    #[test]
    fn what_is_no_file_is_never_the_same() {
        let here = Here::new();
        here.put("file", b"");
        symlink("file", here.0.path().join("link")).unwrap();
        std::fs::create_dir(here.0.path().join("directory")).unwrap();
        for name in ["missing", "link", "directory"] {
            assert!(!compare(&here.at(name), b"").unwrap().is_same, "{name}");
        }
    }

    #[test]
    fn a_file_of_proc_is_read_to_its_end() {
        let path = HostPath::new("/proc/version").unwrap();
        let bytes = std::fs::read("/proc/version").unwrap();
        let kind = look(&path, Look::Digest).unwrap().unwrap().kind;
        assert_eq!(kind, EntryKind::File { size: bytes.len() as u64, digest: Some(Digest::of(&bytes)) });
    }

    #[test]
    fn what_is_not_there_is_nothing_and_no_error() {
        let here = Here::new();
        here.put("file", b"x");
        for name in ["missing", "missing/below", "file/below"] {
            assert_eq!((here.kind(name, Look::Bare), here.kind(name, Look::Digest)), (None, None));
            assert_eq!(here.kind(name, Look::Follow), None);
        }
        assert!(read(&here.at("missing"), 10).is_err() && list(&here.at("missing")).is_err());
        assert!(xattrs(&here.at("missing")).unwrap().is_empty());
    }

    #[test]
    fn links_are_seen_and_followed_only_when_asked() {
        let here = Here::new();
        here.put("file", b"x");
        for (target, name) in [("file", "link"), ("nowhere\n", "dangling"), ("loop", "loop")] {
            symlink(target, here.0.path().join(name)).unwrap();
        }
        assert_eq!(here.kind("link", Look::Digest), Some(EntryKind::Symlink { target: "file".into() }));
        assert!(matches!(here.kind("link", Look::Follow), Some(EntryKind::File { size: 1, .. })));
        assert_eq!(
            here.kind("dangling", Look::Bare),
            Some(EntryKind::Special { what: "symlink to nowhere\\n".into() })
        );
        assert_eq!(here.kind("dangling", Look::Follow), None);
        assert!(matches!(here.kind("loop", Look::Digest), Some(EntryKind::Symlink { .. })));
        assert!(look(&here.at("loop"), Look::Follow).is_err());
        assert!(read(&here.at("link"), 10).is_err(), "a link is not read through");
    }

    #[test]
    fn special_files_are_never_opened() {
        let here = Here::new();
        let fifo = here.at("fifo");
        let mode = rustix::fs::Mode::from_raw_mode(0o640);
        rustix::fs::mkfifoat(rustix::fs::CWD, fifo.as_path(), mode).unwrap();
        assert_eq!(here.kind("fifo", Look::Digest), Some(EntryKind::Special { what: "fifo".into() }));
        let _listener = std::os::unix::net::UnixListener::bind(here.0.path().join("socket")).unwrap();
        assert_eq!(here.kind("socket", Look::Follow), Some(EntryKind::Special { what: "socket".into() }));
        let null = look(&HostPath::new("/dev/null").unwrap(), Look::Digest).unwrap().unwrap();
        assert_eq!(null.kind, EntryKind::Special { what: "character device".into() });
    }

    #[test]
    fn lists_and_reads_within_limits() {
        let here = Here::new();
        here.put("b", b"12345");
        here.put("a", b"");
        assert_eq!(list(&HostPath::new(here.0.path()).unwrap()).unwrap(), ["a", "b"]);
        assert_eq!(read(&here.at("b"), 5).unwrap(), b"12345");
        assert!(read(&here.at("b"), 4).is_err() && list(&here.at("b")).is_err());
    }
}
