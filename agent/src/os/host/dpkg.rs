//! Reads dpkg's database: the status file in one pass, and the updates that an interrupted dpkg has not merged yet.
//!
//! Only the five fields that matter are looked at; the file of a large host is 5 MB, and this is on the path of every run.
//! It must not start a process. Format: dpkg(1) "package states", deb-control(5), dpkg's doc/internals "updates".

use crate::os::Expect;
use crate::os::remove::remove;
use crate::os::safe_path::{Follow, list, read_file};
use crate::system::{Package, PackageStatus, cut_off, left_over};
use memchr::memchr;
use model::Failure;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const LIMIT: u64 = 256 << 20;

/// Where the database is.
pub(super) const ROOT: &str = "/var/lib/dpkg";

/// What dpkg knows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dpkg {
    /// By name; by `name:arch` where the architecture is not dpkg's own.
    pub(super) packages: Arc<BTreeMap<String, Package>>,
    /// Names of installed packages by the virtual package they provide.
    provides: BTreeMap<String, BTreeSet<String>>,
    /// The architecture of dpkg itself; empty where dpkg is not in its own database.
    native: String,
    /// What an interrupted dpkg or apt left to be finished, a few words each.
    pub(super) unfinished: Vec<String>,
    /// Names of packages that were cut off while they were unpacked, so that they have to be installed again.
    pub(super) reinstall: Vec<String>,
}

/// One paragraph of the status file.
#[derive(Clone, Copy, Default)]
struct Paragraph<'a> {
    package: &'a [u8],
    status: &'a [u8],
    architecture: &'a [u8],
    version: &'a [u8],
    provides: &'a [u8],
}

/// Reads the database below `root`, which is [`ROOT`]. A host without dpkg has no packages that could be told.
pub(super) fn read(root: &Path) -> Result<Dpkg, Failure> {
    let path = root.join("status");
    let Some((status, _)) = read_file(&path, Follow::Yes, LIMIT)? else {
        return Err(Failure::unknown("packages", format!("there is no {}", path.display())));
    };
    let journal: Vec<Vec<u8>> = updates(root)?.into_iter().map(|(_, entry)| entry).collect();
    let pieces = std::iter::once(&status).chain(&journal).map(Vec::as_slice);
    let dpkg = parse(pieces)?;
    // A dpkg that comes to an end, even a bad one, leaves no entry. As long as there is one, apt refuses to act.
    let mut unfinished = if journal.is_empty() { left_over(&dpkg.packages) } else { cut_off(&dpkg.packages) };
    if !journal.is_empty() && unfinished.is_empty() {
        unfinished.push("its own records".to_owned());
    }
    Ok(Dpkg { unfinished, ..dpkg })
}

/// The finished entries of the updates, in order; `tmp.i` is one that was still being written.
fn updates(root: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
    let updates = root.join("updates");
    let mut found = Vec::new();
    for name in list(&updates, Follow::Yes)?.into_iter().flatten() {
        if name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
            && let Some((entry, _)) = read_file(&updates.join(&name), Follow::No, LIMIT)?
        {
            found.push((updates.join(name), entry));
        }
    }
    Ok(found)
}

/// Removes the updates that hold nothing, or nothing but zeros, as a power cut leaves them on some file systems: nothing is lost
/// with them, and no dpkg gets past them. Returns which they were. Nobody may be working with dpkg.
pub(super) fn remove_void_updates(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut void = Vec::new();
    for (path, entry) in updates(root)? {
        if entry.iter().all(|byte| *byte == 0) {
            remove(&path, Expect::Anything)?;
            void.push(path);
        }
    }
    Ok(void)
}

/// Later pieces replace the paragraphs of earlier ones.
fn parse<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Dpkg, Failure> {
    let mut found: BTreeMap<(&[u8], &[u8]), Paragraph<'_>> = BTreeMap::new();
    for piece in pieces {
        each_paragraph(piece, |it| {
            found.insert((it.package, it.architecture), it);
        });
    }
    let own = found.keys().find(|(package, _)| *package == b"dpkg");
    let native = own.map_or_else(String::new, |(_, arch)| text(arch));
    let mut dpkg = Dpkg { native, ..Dpkg::default() };
    let mut packages = BTreeMap::new();
    for paragraph in found.values() {
        let Some(package) = package(paragraph)? else { continue };
        let (name, arch) = (text(paragraph.package), text(paragraph.architecture));
        let key = if arch == "all" || arch == dpkg.native { name.clone() } else { format!("{name}:{arch}") };
        if paragraph.status.split(|byte| *byte == b' ').any(|word| word == b"reinstreq") {
            dpkg.reinstall.push(key.clone());
        }
        if package.status == PackageStatus::Installed {
            for provided in provided(paragraph.provides) {
                dpkg.provides.entry(provided).or_default().insert(key.clone());
            }
        }
        packages.insert(key, package);
    }
    dpkg.packages = Arc::new(packages);
    Ok(dpkg)
}

fn each_paragraph<'a>(piece: &'a [u8], mut take: impl FnMut(Paragraph<'a>)) {
    let mut paragraph = Paragraph::default();
    let mut rest = piece;
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or(&[]);
        if line.is_empty() && !paragraph.package.is_empty() {
            take(std::mem::take(&mut paragraph));
        }
        let field = |name: &str| line.strip_prefix(name.as_bytes()).map(<[u8]>::trim_ascii);
        match line.first() {
            Some(b'P') => {
                paragraph.package = field("Package:").unwrap_or(paragraph.package);
                paragraph.provides = field("Provides:").unwrap_or(paragraph.provides);
            }
            Some(b'S') => paragraph.status = field("Status:").unwrap_or(paragraph.status),
            Some(b'A') => paragraph.architecture = field("Architecture:").unwrap_or(paragraph.architecture),
            Some(b'V') => paragraph.version = field("Version:").unwrap_or(paragraph.version),
            _ => {}
        }
    }
    if !paragraph.package.is_empty() {
        take(paragraph);
    }
}

/// `None` where dpkg only remembers the name. A state that is not dpkg's own is not guessed at.
fn package(paragraph: &Paragraph<'_>) -> Result<Option<Package>, Failure> {
    let mut words = paragraph.status.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let (want, _, state) = (words.next(), words.next(), words.next());
    let status = match state {
        Some(b"not-installed") => return Ok(None),
        Some(b"config-files") => PackageStatus::ConfigFiles,
        Some(b"half-installed") => PackageStatus::HalfInstalled,
        Some(b"unpacked") => PackageStatus::Unpacked,
        Some(b"half-configured") => PackageStatus::HalfConfigured,
        Some(b"triggers-awaited") => PackageStatus::TriggersAwaited,
        Some(b"triggers-pending") => PackageStatus::TriggersPending,
        Some(b"installed") => PackageStatus::Installed,
        _ => {
            let because = format!("dpkg's status of it is `{}`", text(paragraph.status));
            return Err(Failure::unknown(format!("package {}", text(paragraph.package)), because));
        }
    };
    Ok(Some(Package { status, version: text(paragraph.version), held: want == Some(b"hold") }))
}

/// The names in `Provides: a, b (= 1)`.
fn provided(field: &[u8]) -> impl Iterator<Item = String> {
    let name = |part: &[u8]| part.trim_ascii().split(|byte| b" (:".contains(byte)).next().map(text);
    field.split(|byte| *byte == b',').filter_map(name).filter(|name| !name.is_empty())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Dpkg {
    /// A package by `name` or `name:arch`.
    pub(super) fn package(&self, name: &str) -> Option<&Package> {
        let own = name.strip_suffix(&self.native).and_then(|name| name.strip_suffix(':'));
        let plain = own.or_else(|| name.strip_suffix(":all")).or_else(|| name.strip_suffix(":any"));
        self.packages.get(plain.unwrap_or(name))
    }

    /// The architecture of dpkg itself; empty where dpkg is not in its own database.
    pub(super) fn native(&self) -> &str {
        &self.native
    }

    /// The installed packages that provide `name`, sorted.
    pub(super) fn providers(&self, name: &str) -> Vec<String> {
        self.provides.get(name).map_or_else(Vec::new, |names| names.iter().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Dpkg, parse, read, remove_void_updates};
    use crate::system::PackageStatus;

    const STATUS: &[u8] = include_bytes!("../../../../tests/cases/recorded/dpkg-status/mixed.txt");

    fn recorded() -> Dpkg {
        parse(std::iter::once(STATUS)).unwrap()
    }

    #[test]
    fn knows_states_holds_and_versions() {
        let dpkg = recorded();
        let of = |name: &str| {
            let package = dpkg.package(name).unwrap();
            (package.status, package.version.as_str(), package.held)
        };
        assert_eq!(of("nginx"), (PackageStatus::Installed, "1.22.1-9+deb12u10", true));
        assert_eq!(of("cron"), (PackageStatus::ConfigFiles, "3.0pl1-162", false));
        assert_eq!(of("postfix").0, PackageStatus::HalfConfigured);
        assert_eq!(of("adduser:all").1, "3.134");
        assert!(dpkg.package("gone").is_none() && dpkg.package("no-such").is_none());
    }

    #[test]
    fn names_a_foreign_architecture() {
        let dpkg = recorded();
        assert_eq!(dpkg.package("libc6").unwrap().version, "2.36-9+deb12u10");
        assert_eq!(dpkg.package("libc6:amd64"), dpkg.package("libc6"));
        assert_eq!(dpkg.package("libc6:i386").unwrap().version, "2.36-9+deb12u9");
    }

    #[test]
    fn finds_who_provides_a_virtual_package() {
        let dpkg = recorded();
        assert_eq!(dpkg.providers("httpd-cgi"), ["nginx"]);
        assert_eq!(dpkg.providers("libc-dev-bin-any"), Vec::<String>::new());
        assert!(dpkg.providers("mail-transport-agent").is_empty(), "postfix is not fully installed");
    }

    #[test]
    fn an_interrupted_dpkg_is_seen_and_its_updates_count() {
        let root = tempfile::tempdir().unwrap();
        assert!(read(root.path()).is_err(), "no database is not an empty one");
        std::fs::copy("../tests/cases/recorded/dpkg-status/mixed.txt", root.path().join("status")).unwrap();
        let left = read(root.path()).unwrap().unfinished;
        assert_eq!(left, [""; 0], "what a script failed at is not for everybody");
        std::fs::create_dir(root.path().join("updates")).unwrap();
        let update = "Package: adduser\nStatus: install ok unpacked\nArchitecture: all\nVersion: 3.135\n";
        std::fs::rename(temp(update), root.path().join("updates/0001")).unwrap();
        let dpkg = read(root.path()).unwrap();
        assert_eq!(dpkg.unfinished, ["adduser not configured", "postfix half configured"]);
        assert_eq!(dpkg.package("adduser").unwrap().status, PackageStatus::Unpacked);
    }

    #[test]
    fn updates_of_nothing_but_zeros_are_removed_and_no_others() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("updates")).unwrap();
        assert!(remove_void_updates(root.path()).unwrap().is_empty());
        let entry = |name: &str| root.path().join("updates").join(name);
        for (name, text) in [("0000", "Package: a\n"), ("0001", "\0\0\0\0"), ("0002", ""), ("tmp.i", "\0")] {
            std::fs::rename(temp(text), entry(name)).unwrap();
        }
        assert_eq!(remove_void_updates(root.path()).unwrap(), [entry("0001"), entry("0002")]);
        assert_eq!([entry("0000"), entry("0001"), entry("tmp.i")].map(|it| it.exists()), [true, false, true]);
    }

    fn temp(text: &str) -> std::path::PathBuf {
        use std::io::Write;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.into_temp_path().keep().unwrap()
    }

    #[test]
    fn what_was_cut_off_while_it_was_unpacked_is_named() {
        let status =
            b"Package: odd\nStatus: install reinstreq half-installed\nArchitecture: all\nVersion: 1\n"
                .as_slice();
        let dpkg = parse([STATUS, status].into_iter()).unwrap();
        assert_eq!(dpkg.reinstall, ["odd"]);
    }

    #[test]
    fn a_state_that_dpkg_does_not_have_is_not_guessed() {
        let odd = b"Package: odd\nStatus: install ok levitating\nVersion: 1\n".as_slice();
        let failure = parse(std::iter::once(odd)).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "cannot tell the state of package odd: dpkg's status of it is `install ok levitating`"
        );
    }
}
