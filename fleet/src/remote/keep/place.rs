//! Where connections are kept: a directory that its owner alone may enter, and in it a socket for each host, named by a digest of all that makes the
//! connection what it is. Another host, user, key, way or version has another name.

use crate::endpoint::Endpoint;
use model::Digest;
use std::ffi::OsString;
use std::fs::{DirBuilder, symlink_metadata};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Most bytes of a socket's path: unix(7) has 108 of them, other systems 104, and before it has this name it has a longer one.
const LONGEST: usize = 80;

/// Digits of a digest in a name.
const DIGITS: usize = 20;

/// Connections that are kept for later calls: those there are, and a process for those that this call makes.
pub struct Keep {
    pub(super) place: Place,
    /// What is started to keep connections: a program and its first arguments.
    pub(super) program: Vec<OsString>,
    /// The process that this call has started. `None` within: it could not be.
    pub(super) leash: Mutex<Option<Option<UnixStream>>>,
}

impl Keep {
    /// Keeps connections in `dir`, which is made where it is missing, by `program` and its first arguments, which ask for a [`super::Keeper`].
    pub fn new(dir: &Path, program: Vec<OsString>) -> Self {
        Self { place: Place(dir.to_owned()), program, leash: Mutex::default() }
    }
}

/// The directory.
#[derive(Clone)]
pub(super) struct Place(pub(super) PathBuf);

impl Place {
    /// The socket of this host. `None` where it cannot have one: others may enter the directory, or its path is too long.
    pub(super) fn socket(&self, endpoint: &Endpoint) -> Option<PathBuf> {
        let all = (env!("CARGO_PKG_VERSION"), endpoint);
        let name: String =
            Digest::of(&serde_json::to_vec(&all).ok()?).to_string().chars().take(DIGITS).collect();
        let path = self.0.join(name);
        (path.as_os_str().len() <= LONGEST && self.is_private()).then_some(path)
    }

    /// Makes it where it is missing.
    fn is_private(&self) -> bool {
        if DirBuilder::new().recursive(true).mode(0o700).create(&self.0).is_err() {
            return false;
        }
        let uid = rustix::process::geteuid().as_raw();
        symlink_metadata(&self.0)
            .is_ok_and(|meta| meta.is_dir() && meta.uid() == uid && meta.mode() & 0o077 == 0)
    }
}

/// Whether the other end is a process of the same user.
pub(super) fn is_ours(stream: &UnixStream) -> bool {
    #[cfg(target_os = "linux")]
    return rustix::net::sockopt::socket_peercred(stream)
        .is_ok_and(|peer| peer.uid == rustix::process::geteuid());
    // Nobody else may enter the directory.
    #[cfg(not(target_os = "linux"))]
    stream.peer_addr().is_ok()
}

#[cfg(test)]
mod tests {
    use super::Place;
    use crate::config::{Asked, Overrides, SshFiles, Surroundings, resolve};
    use crate::endpoint::Endpoint;
    use std::fs::{DirBuilder, create_dir};
    use std::os::unix::fs::DirBuilderExt as _;
    use std::path::Path;

    fn endpoint(user: &str) -> Endpoint {
        let surroundings = Surroundings {
            home: "/home/ada".into(),
            user: "ada".into(),
            uid: 1000,
            machine: "desk".into(),
            variables: Default::default(),
        };
        let files = SshFiles { instead: Some("/dev/null".into()), ..SshFiles::usual(Path::new("/home/ada")) };
        let inventory = Overrides { user: Some(user.to_owned()), ..Overrides::default() };
        resolve(&Asked { name: "web".into(), inventory, ..Asked::default() }, &files, &surroundings).unwrap()
    }

    #[test]
    fn every_way_to_a_host_has_a_socket_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place(dir.path().join("deep/keep"));
        let ada = place.socket(&endpoint("ada")).unwrap();
        assert_eq!(place.socket(&endpoint("ada")), Some(ada.clone()));
        let mut pinned = endpoint("ada");
        pinned.host_keys.push("ssh-ed25519 AAAA".to_owned());
        for other in [endpoint("bob"), endpoint("ada").fresh(), pinned] {
            assert_ne!(place.socket(&other), Some(ada.clone()));
        }
    }

    #[test]
    fn a_directory_that_others_may_enter_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        for (name, mode) in [("group", 0o710), ("all", 0o701), ("own", 0o700)] {
            let path = dir.path().join(name);
            DirBuilder::new().mode(mode).create(&path).unwrap();
            assert_eq!(Place(path).socket(&endpoint("ada")).is_some(), name == "own", "{name}");
        }
        let long = dir.path().join("x".repeat(70));
        create_dir(&long).unwrap();
        assert_eq!(Place(long).socket(&endpoint("ada")), None);
        std::os::unix::fs::symlink(dir.path().join("own"), dir.path().join("link")).unwrap();
        assert_eq!(Place(dir.path().join("link")).socket(&endpoint("ada")), None);
    }
}
