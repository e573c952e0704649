//! The files of versions of packages that were on the host, kept for a rollback: sources drop old versions. Each is named by package, version
//! and digest.

use super::Store;
use super::arrival::Arrival;
use super::dir::{make_private, write_private};
use crate::os::Expect;
use crate::os::remove::remove;
use crate::os::safe_path::{self, Follow};
use crate::os::second_name::second_name;
use model::{Digest, Failure, Hasher, HostPath};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

/// Package and version, as dpkg has them.
pub(super) type Named = BTreeSet<(String, String)>;

impl Store {
    fn debs(&self) -> PathBuf {
        self.root().join("debs")
    }

    /// Keeps `file`, which brought `version` of `package`: by a second name, or as a copy where it lies on another file system.
    pub(super) fn put_deb(&self, (package, version): (&str, &str), file: &HostPath) -> Result<(), Failure> {
        let missing = || Failure::Missing { what: file.to_string() };
        let (mut opened, _) = safe_path::open_file(file.as_path(), Follow::No)?.ok_or_else(missing)?;
        let (digest, size) = digest(&mut opened, file.as_path())?;
        make_private(&self.debs())?;
        let path = self.debs().join(format!("{}{digest}.deb", prefix(package, version)));
        if second_name(&opened, file.as_path(), &path)? {
            return Ok(());
        }
        opened.rewind().map_err(|error| Failure::io("read", file, error))?;
        write_private(&path, &mut Arrival::new(&mut opened, digest, size))
    }

    /// The kept file of a version; `None` where there is none.
    ///
    /// # Errors
    /// It is not what was kept there.
    pub(super) fn kept_deb(&self, package: &str, version: &str) -> Result<Option<HostPath>, Failure> {
        let prefix = prefix(package, version);
        for name in safe_path::list(&self.debs(), Follow::No)?.unwrap_or_else(Vec::new) {
            let digest = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(".deb"));
            let Some(wanted) = digest.and_then(Digest::parse) else { continue };
            let path = self.debs().join(&name);
            let Some((mut file, _)) = safe_path::open_file(&path, Follow::No)? else { continue };
            if self::digest(&mut file, &path)?.0 != wanted {
                let why = format!("{} is not what was kept there", path.display());
                return Err(Failure::refused(why, "remove it"));
            }
            return HostPath::new(&path).map(Some).map_err(|why| Failure::refused(why, "move the state"));
        }
        Ok(None)
    }

    /// Removes those of versions that are not `named`.
    pub(super) fn sweep_debs(&self, named: &Named) -> Result<(), Failure> {
        let prefixes: BTreeSet<String> =
            named.iter().map(|(package, version)| prefix(package, version)).collect();
        for name in safe_path::list(&self.debs(), Follow::No)?.unwrap_or_else(Vec::new) {
            let start = name.to_str().and_then(|name| name.rfind('_').map(|at| &name[..=at]));
            if !start.is_some_and(|start| prefixes.contains(start)) {
                remove(&self.debs().join(&name), Expect::Anything)?;
            }
        }
        Ok(())
    }
}

/// What a file's name begins with. Neither names nor versions have an underscore (Debian policy 5.6.1, 5.6.12).
fn prefix(package: &str, version: &str) -> String {
    let quoted = |text: &str| text.replace(':', "%3a").replace(['/', '_'], "%");
    format!("{}_{}_", quoted(package), quoted(version))
}

fn digest(file: &mut File, path: &Path) -> Result<(Digest, u64), Failure> {
    let (mut hasher, mut size, mut buffer) = (Hasher::default(), 0, vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((hasher.finish(), size)),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                size += count as u64;
            }
            Err(error) => return Err(Failure::io("read", path.display(), error)),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "makes and damages scratch files")]
#[cfg(test)]
mod tests {
    use crate::state::StateDir;
    use crate::undo::Keep;
    use model::HostPath;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    fn kept(cache: &Path, state: &StateDir, version: &str) -> HostPath {
        let file = cache.join("a_1_all.deb");
        std::fs::write(&file, version).unwrap();
        state.store().keep_deb(("a:i386", version), &HostPath::new(&file).unwrap()).unwrap();
        std::fs::remove_file(&file).unwrap();
        state.store().deb("a:i386", version).unwrap().unwrap()
    }

    #[test]
    fn a_kept_file_is_found_by_its_version_whole_or_refused() {
        // Beside the state, where a second name will do, and on another file system, where it is copied.
        let shm = Path::new(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" });
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::new(scratch.path().join("state"));
        state.make().unwrap();
        let elsewhere = tempfile::tempdir_in(shm).unwrap();
        for (cache, version) in [(scratch.path(), "1:2-1"), (elsewhere.path(), "1:2-1~")] {
            let file = kept(cache, &state, version);
            assert_eq!(std::fs::read_to_string(file.as_path()).unwrap(), version);
            assert_eq!(std::fs::metadata(file.as_path()).unwrap().nlink(), 1);
        }
        assert!(state.store().deb("a:i386", "2-1").unwrap().is_none());
        assert!(state.store().deb("a", "1:2-1").unwrap().is_none());
        let file = state.store().deb("a:i386", "1:2-1").unwrap().unwrap();
        std::fs::write(file.as_path(), "damaged").unwrap();
        assert!(state.store().deb("a:i386", "1:2-1").is_err());
    }

    #[test]
    fn what_nobody_names_goes() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::new(scratch.path().join("state"));
        state.make().unwrap();
        state.store().sweep_debs(&Default::default()).unwrap();
        let (one, two) = (kept(scratch.path(), &state, "1"), kept(scratch.path(), &state, "2"));
        state.store().sweep_debs(&[("a:i386".to_owned(), "2".to_owned())].into()).unwrap();
        assert!(!one.as_path().exists() && two.as_path().exists());
    }
}
