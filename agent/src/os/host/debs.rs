//! Finds the files that apt-get has downloaded and not thrown away: it keeps them, unless the host's own settings say otherwise
//! (apt.conf(5), `APT::Keep-Downloaded-Packages`; hooks as in images of containers). It must not download.

use crate::os::meta::FileKind;
use crate::os::safe_path::{Follow, look};
use model::{Failure, HostPath};
use std::path::Path;

/// Where apt keeps them, unless `Dir::Cache::archives` says otherwise.
pub(super) const ARCHIVES: &str = "/var/cache/apt/archives";

/// The file of `version` of `name`, or of `name:arch`; a name alone is of dpkg's `native` architecture, or of all.
pub(super) fn find(
    archives: &Path,
    name: &str,
    (version, native): (&str, &str),
) -> Result<Option<HostPath>, Failure> {
    let (bare, arches) = match name.split_once(':') {
        Some((bare, arch)) => (bare, vec![arch]),
        None => (name, vec![native, "all"]),
    };
    // As apt writes it: what would be taken for something else is quoted as in a URL.
    let version = version.replace(':', "%3a");
    for arch in arches {
        let path = archives.join(format!("{bare}_{version}_{arch}.deb"));
        let path = HostPath::new(&path)
            .map_err(|why| Failure::refused(why, "look at what dpkg calls the package"))?;
        if look(path.as_path(), Follow::No)?.is_some_and(|meta| meta.kind() == FileKind::File) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

#[expect(clippy::disallowed_methods, reason = "makes scratch files")]
#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn a_file_is_found_under_the_name_that_apt_gives_it() {
        let archives = tempfile::tempdir().unwrap();
        for name in ["a_1%3a2_all.deb", "b_1_amd64.deb", "c_1_i386.deb"] {
            std::fs::write(archives.path().join(name), "").unwrap();
        }
        std::fs::create_dir(archives.path().join("d_1_all.deb")).unwrap();
        let found = |name, version| {
            let found = find(archives.path(), name, (version, "amd64")).unwrap();
            found.map(|path| path.file_name().to_string_lossy().into_owned())
        };
        assert_eq!(found("a", "1:2").as_deref(), Some("a_1%3a2_all.deb"));
        assert_eq!(found("b", "1").as_deref(), Some("b_1_amd64.deb"));
        assert_eq!(found("c:i386", "1").as_deref(), Some("c_1_i386.deb"));
        for (name, version) in [("a", "2"), ("b:i386", "1"), ("c", "1"), ("d", "1")] {
            assert_eq!(found(name, version), None, "{name} {version}");
        }
    }
}
