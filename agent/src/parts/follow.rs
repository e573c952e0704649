//! Where a symbolic link leads, for the resources that ask to follow it: component by component, and never through a link
//! that somebody could have planted. Only looks.

use crate::system::{Entry, EntryKind, Look, System};
use model::{Failure, HostPath};
use std::ffi::{OsStr, OsString};

/// As many links as the kernel follows in one path (path_resolution(7)).
const MOST_LINKS: u32 = 40;

/// The path without links that `path` leads to. Its last component need not exist.
///
/// # Errors
/// `Refused` for a loop; for a link in a directory that others may write to, unless it belongs to root or to the owner of the
/// directory (as the kernel's `protected_symlinks` has it); and for a link of somebody else than root that leads to what is not his.
pub fn follow(system: &dyn System, path: &HostPath) -> Result<HostPath, Failure> {
    let root = path.ancestors().last().unwrap_or_else(|| path.clone());
    let mut todo: Vec<OsString> = parts(path.as_path().as_os_str());
    let mut at = root.clone();
    let mut links = 0;
    let mut planter = None;
    while let Some(part) = todo.pop() {
        if part == ".." {
            at = at.parent().unwrap_or(at);
            continue;
        }
        let next = at.join(&part);
        let Some(entry) = system.look(&next, Look::Bare)? else {
            at = next;
            continue;
        };
        let EntryKind::Symlink { target } = &entry.kind else {
            at = next;
            continue;
        };
        links += 1;
        if links > MOST_LINKS {
            return Err(Failure::refused(format!("{path} leads in a circle"), "point the link at a file"));
        }
        if let Some(uid) = planter_of(system, (&next, &entry), &at)?
            && planter.replace(uid).is_some_and(|before| before != uid)
        {
            return Err(astray(path));
        }
        // A name that was escaped for showing cannot be told from one that holds a backslash.
        if target.contains('\\') {
            let why = format!("the link {next} leads to a name that cannot be shown as it is");
            return Err(Failure::refused(why, "name the file itself"));
        }
        if target.starts_with('/') {
            at = root.clone();
        }
        todo.extend(parts(target.as_ref()));
    }
    match planter {
        Some(uid) if owner(system, &at)? != Some(uid) => Err(astray(path)),
        _ => Ok(at),
    }
}

/// Who owns what stands there; where nothing does, the directory in which it would be made.
fn owner(system: &dyn System, end: &HostPath) -> Result<Option<u32>, Failure> {
    for path in [Some(end.clone()), end.parent()].into_iter().flatten() {
        if let Some(entry) = system.look(&path, Look::Bare)? {
            return Ok(Some(entry.uid));
        }
    }
    Ok(None)
}

fn astray(path: &HostPath) -> Failure {
    let why = format!("{path} is a link of a user, and leads to what is not his");
    Failure::refused(why, "name the file itself")
}

/// The components in reverse; `..` stays, since it means the directory above wherever the links led.
fn parts(path: &OsStr) -> Vec<OsString> {
    use std::os::unix::ffi::OsStrExt;
    let bytes = path.as_bytes().split(|byte| *byte == b'/').rev();
    bytes
        .filter(|part| !part.is_empty() && *part != b".")
        .map(|part| OsStr::from_bytes(part).into())
        .collect()
}

/// Who could have planted the link, where that is somebody else than root: its owner, or the owner of its directory, who may give it any
/// name there.
fn planter_of(
    system: &dyn System,
    (link, entry): (&HostPath, &Entry),
    above: &HostPath,
) -> Result<Option<u32>, Failure> {
    let Some(directory) = system.look(above, Look::Bare)? else { return Ok(Some(entry.uid)) };
    if directory.mode & 0o002 != 0 && entry.uid != 0 && entry.uid != directory.uid {
        let why = format!("anybody may have planted the link {link}: its directory is writable for all");
        return Err(Failure::refused(why, "name the file itself"));
    }
    Ok([entry.uid, directory.uid].into_iter().find(|uid| *uid != 0))
}
