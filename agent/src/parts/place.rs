//! The place of a path: what has to come before it, and what is done about something else that stands there.

use crate::parts::tree::{Tree, removed};
use crate::system::{Entry, EntryKind};
use model::{Failure, HostPath, Step, Thing};
use std::path::Component;

/// Directories whose entries are named after the package that brings them (Debian Policy, 9.1.1 and 10.7).
const OF_PACKAGES: &[&str] = &["/etc/", "/usr/share/", "/var/lib/", "/var/log/", "/var/cache/"];
/// On every host, and configured before anything is installed.
const ALWAYS_THERE: &[&str] = &["apt", "dpkg"];

/// Whether what stands in the way may be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// It stays, and the resource is refused.
    No,
    /// It is removed, item by item.
    Yes,
}

impl From<bool> for Force {
    fn from(force: bool) -> Self {
        if force { Self::Yes } else { Self::No }
    }
}

/// What a path needs: the directory above it, and the package `nginx` for what lies in `/etc/nginx/` and its like.
pub fn wants(path: &HostPath) -> impl Iterator<Item = Thing> + use<> {
    let package = OF_PACKAGES.iter().find_map(|base| {
        let mut below = path.as_path().strip_prefix(base).ok()?.components();
        let Component::Normal(first) = below.next()? else { return None };
        below.next()?;
        first.to_str().filter(|name| !ALWAYS_THERE.contains(name))
    });
    let package = package.map(|name| Thing::Package(name.to_owned()));
    path.parent().map(Thing::Path).into_iter().chain(package)
}

/// The steps that remove what stands at `path`, where it is not what is wanted there. `tree` is what lies in it.
///
/// # Errors
/// `Refused` without force, and as [`Tree::removal`].
pub fn clear(
    path: &HostPath,
    entry: &Entry,
    tree: &Tree,
    force: Force,
    wanted: &str,
) -> Result<Vec<Step>, Failure> {
    if force == Force::No {
        let why = format!("a {} stands at {path}, not a {wanted}", entry.what());
        let help = match &entry.kind {
            EntryKind::Symlink { target } => {
                format!("name what it leads to ({target}), or set `force = true` to have the link replaced")
            }
            EntryKind::Directory => "set `force = true` to have it removed with all that is in it".to_owned(),
            _ => "set `force = true` to have it removed".to_owned(),
        };
        return Err(Failure::refused(why, help));
    }
    let mut steps = tree.removal(|_| false)?;
    if entry.kind == EntryKind::Directory {
        tree.refuse_mounted(path)?;
    }
    steps.push(removed(path, entry));
    Ok(steps)
}
