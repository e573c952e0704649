//! Takes the image of a subject: its state, with its bytes kept.

use super::Keep;
use crate::system::{
    Entry, EntryKind, GroupShadow, Look, Package, PackageStatus, System, Whole, administered, group_shadow,
    mount_image, sysctl,
};
use model::{
    Failure, FileState, Fingerprint, GroupShadowState, GroupState, HostPath, PackageState, PathState, State,
    Subject, UserState, sysctl_is_secret,
};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Whether bytes may be known to whoever reads the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// They may.
    Open,
    /// They may not.
    Secret,
}

/// Largest file whose bytes are kept, in bytes. Larger ones cannot be brought back, and plans say so.
pub const LARGEST_KEPT: u64 = 256 << 20;

/// Larger files are taken one at a time, in bytes: all workers at once must not fill the memory of a small host.
const LARGE: u64 = 4 << 20;

/// Held while a large file is in memory.
static LARGE_ONE: Mutex<()> = Mutex::new(());

/// The state of `subject` now. Bytes of files and passwords are in `keep` when it returns.
pub fn capture(
    system: &dyn System,
    subject: &Subject,
    secrecy: Secrecy,
    keep: &dyn Keep,
) -> Result<State, Failure> {
    Ok(match subject {
        Subject::Path(path) => State::Path(path_state(system, path, secrecy, keep)?),
        Subject::Package(name) => State::Package(system.package(name)?.as_ref().map(package_state)),
        Subject::Unit(name) => State::Unit(system.unit(name)?),
        Subject::User(name) => State::User(user_state(system, name, keep)?),
        Subject::Group(name) => State::Group(group_state(system, name, keep)?),
        Subject::Sysctl(path) => sysctl_state(system, path, secrecy, keep)?,
        Subject::Mount(path) => State::Mount(mount_image(system, path)?),
    })
}

/// `now` without what `goal` says nothing of, as a journal of an older Evenkeel does.
pub fn comparable(now: State, goal: &State) -> State {
    match (now, goal) {
        (State::Group(Some(now)), State::Group(Some(GroupState { shadow: None, .. }))) => {
            State::Group(Some(GroupState { shadow: None, ..now }))
        }
        (State::User(Some(now)), State::User(Some(UserState { administers: None, .. }))) => {
            State::User(Some(UserState { administers: None, ..now }))
        }
        (now, _) => now,
    }
}

/// A package as a rollback knows it.
pub fn package_state(package: &Package) -> PackageState {
    let is_there = package.status != PackageStatus::ConfigFiles;
    PackageState { version: is_there.then(|| package.version.clone()), held: package.held }
}

fn sysctl_state(
    system: &dyn System,
    path: &HostPath,
    secrecy: Secrecy,
    keep: &dyn Keep,
) -> Result<State, Failure> {
    Ok(match sysctl(system, path)? {
        Some(value) if secrecy == Secrecy::Secret || sysctl_is_secret(path) => {
            State::SecretSysctl(keep.keep(value.as_bytes(), Secrecy::Secret)?)
        }
        value => State::Sysctl(value),
    })
}

fn path_state(
    system: &dyn System,
    path: &HostPath,
    secrecy: Secrecy,
    keep: &dyn Keep,
) -> Result<PathState, Failure> {
    let Some(Whole { entry, held }) = system.whole(path, LARGE)? else { return Ok(PathState::Absent) };
    let Entry { kind, uid, gid, mode } = entry;
    Ok(match (kind, held) {
        (EntryKind::File { size, .. }, Some((xattrs, bytes))) => {
            let content = keep.keep(&bytes, secrecy)?;
            PathState::File(FileState { content, size, uid, gid, mode, xattrs })
        }
        (EntryKind::File { size, .. }, None) => {
            let xattrs = system.xattrs(path)?;
            let _turn = (size > LARGE).then(|| LARGE_ONE.lock().unwrap_or_else(PoisonError::into_inner));
            let content = if size <= LARGEST_KEPT {
                keep.keep(&system.read(path, LARGEST_KEPT)?, secrecy)?
            } else {
                digest_only(system, path)?
            };
            PathState::File(FileState { content, size, uid, gid, mode, xattrs })
        }
        (EntryKind::Directory, _) => PathState::Directory { uid, gid, mode, xattrs: system.xattrs(path)? },
        (EntryKind::Symlink { target }, _) => PathState::Symlink { target, uid, gid },
        (EntryKind::Special { what }, _) => PathState::Special { what },
    })
}

fn digest_only(system: &dyn System, path: &HostPath) -> Result<Fingerprint, Failure> {
    match system.look(path, Look::Digest)?.map(|entry| entry.kind) {
        Some(EntryKind::File { digest: Some(digest), .. }) => Ok(Fingerprint::Plain(digest)),
        _ => Err(Failure::unknown(path.to_string(), "it changed while it was looked at")),
    }
}

fn user_state(system: &dyn System, name: &str, keep: &dyn Keep) -> Result<Option<UserState>, Failure> {
    let accounts = system.accounts()?;
    let Some(user) = accounts.users.get(name) else { return Ok(None) };
    let password = match &user.password {
        Some(password) => Some(keep.keep(password.expose().as_bytes(), Secrecy::Secret)?),
        None => None,
    };
    Ok(Some(UserState {
        uid: user.uid,
        gid: user.gid,
        comment: user.comment.clone(),
        home: user.home.clone(),
        shell: user.shell.clone(),
        password,
        expires: user.expires,
        groups: accounts.groups_of(name),
        administers: Some(administered(system, name)?),
    }))
}

fn group_state(system: &dyn System, name: &str, keep: &dyn Keep) -> Result<Option<GroupState>, Failure> {
    let accounts = system.accounts()?;
    let Some(group) = accounts.groups.get(name) else { return Ok(None) };
    let shadow = match group_shadow(system, name)? {
        Some(GroupShadow { password, administrators }) => {
            let password = keep.keep(password.expose().as_bytes(), Secrecy::Secret)?;
            Some(GroupShadowState { password, administrators })
        }
        None => None,
    };
    Ok(Some(GroupState { gid: group.gid, members: group.members.clone(), shadow }))
}

/// Extended attributes are compared as they are kept: by name, in base64.
pub(super) type Xattrs = BTreeMap<String, String>;
