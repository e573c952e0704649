//! Which package a path belongs to, of the packages that changed; and the names of the copy's users and groups.
//! dpkg writes the list of a package's files when it installs or removes it (dpkg(1), `/var/lib/dpkg/info/*.list`).

use super::compare::Names;
use super::layers::inside;
use super::walk::Touched;
use model::Failure;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const INFO: &str = "/var/lib/dpkg/info";

/// Names of packages by path; of a package for several architectures with the architecture.
pub(super) type Owners = BTreeMap<PathBuf, String>;

/// The paths of all packages whose list of files was touched.
pub(super) fn owners(all: &[Touched]) -> Result<Owners, Failure> {
    let mut owners = Owners::new();
    let aliases = aliases();
    for touched in all.iter().filter(|touched| touched.path.parent() == Some(Path::new(INFO))) {
        let (Some(name), true) =
            (touched.path.file_stem(), touched.path.extension() == Some(OsStr::new("list")))
        else {
            continue;
        };
        for list in [&touched.old, &touched.new].into_iter().flatten() {
            for path in read(list)?.split(|byte| *byte == b'\n').filter(|path| path.starts_with(b"/")) {
                let path = unaliased(Path::new(OsStr::from_bytes(path)), &aliases);
                owners.insert(path, name.to_string_lossy().into_owned());
            }
        }
    }
    Ok(owners)
}

/// Where `/bin`, `/lib` and their like are links into `/usr`, packages still name them.
fn aliases() -> Vec<(PathBuf, PathBuf)> {
    let names = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
    let alias = |name: &str| {
        let target = std::fs::read_link(inside(Path::new(name))).ok()?;
        Some((PathBuf::from(name), Path::new("/").join(target)))
    };
    names.into_iter().filter_map(alias).collect()
}

fn unaliased(path: &Path, aliases: &[(PathBuf, PathBuf)]) -> PathBuf {
    let found = aliases.iter().find_map(|(from, to)| Some(to.join(path.strip_prefix(from).ok()?)));
    found.unwrap_or_else(|| path.to_owned())
}

/// Users and groups as the copy has them at the end.
pub(super) fn names() -> Result<Names, Failure> {
    let numbers = |file: &str| -> Result<BTreeMap<u32, String>, Failure> {
        let bytes = read(&inside(Path::new(file)))?;
        let text = String::from_utf8_lossy(&bytes);
        let entry = |line: &str| {
            let mut fields = line.split(':');
            let (name, number) = (fields.next()?, fields.nth(1)?);
            Some((number.parse().ok()?, name.to_owned()))
        };
        // Of two names for one number the first holds.
        Ok(text.lines().rev().filter_map(entry).collect())
    };
    Ok(Names { users: numbers("/etc/passwd")?, groups: numbers("/etc/group")? })
}

/// Empty where there is none.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::io("read", path.display(), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::unaliased;
    use std::path::{Path, PathBuf};

    #[test]
    fn paths_of_packages_are_where_the_files_are() {
        let aliases = [(PathBuf::from("/lib"), PathBuf::from("/usr/lib"))];
        assert_eq!(unaliased(Path::new("/lib/a/b"), &aliases), Path::new("/usr/lib/a/b"));
        assert_eq!(unaliased(Path::new("/library"), &aliases), Path::new("/library"));
    }
}
