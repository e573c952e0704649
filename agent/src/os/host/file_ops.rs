//! Carries out the ops on paths, through the safety core: it looks first, and lets the core refuse if that has changed since.
//!
//! It must not touch a path by any other way.

use super::host::{Host, locked};
use super::stored::Stored;
use super::together;
use crate::os::atomic_write::{self, Keep, Target, WhenBusy, atomic_write};
use crate::os::attributes::{Attributes, refuse_second_names, set_attributes};
use crate::os::make::{make_directory, make_symlink};
use crate::os::meta::{Expect, FileKind, Meta};
use crate::os::remove::remove;
use crate::os::safe_path::{self, Follow, reopen};
use crate::os::xattr::{self, Xattrs};
use crate::system::Attempt;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Content, Failure, HostPath, Op, Principal};
use rustix::fs::{OFlags, fsync};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Cursor;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// The longest file name (NAME_MAX).
const LONGEST_NAME: usize = 255;

impl Host<'_> {
    pub(super) fn change_file(&self, op: &Op, attempt: &Attempt) -> Result<(), Failure> {
        match op {
            Op::WriteFile { path, content, owner, group, mode, validate } => {
                let wanted = self.attributes(Some(owner), Some(group), Some(*mode))?;
                self.write_file(path, content, wanted, (validate, attempt))
            }
            Op::SetAttributes { path, owner, group, mode } => {
                let wanted = self.attributes(owner.as_ref(), group.as_ref(), *mode)?;
                Ok(set_attributes(path.as_path(), wanted, Expect::Anything)?)
            }
            Op::SetXattrs { path, xattrs } => set_xattrs(path, xattrs),
            Op::MakeDirectory { path, owner, group, mode } => {
                let wanted = self.attributes(Some(owner), Some(group), Some(*mode))?;
                Ok(make_directory(path.as_path(), wanted)?)
            }
            Op::MakeSymlink { path, target } => {
                let expect = expected(path, FileKind::Symlink)?;
                let temp = temp_name(path.file_name(), &attempt.tag);
                let owner =
                    self.attributes(Some(&Principal::Number(0)), Some(&Principal::Number(0)), None)?;
                Ok(make_symlink(path.as_path(), OsStr::new(target), &temp, owner, expect)?)
            }
            Op::Remove { path } => Ok(remove(path.as_path(), Expect::Anything)?),
            _ => unreachable!("only the ops on paths come here"),
        }
    }

    /// Names become numbers at the moment they are needed. Root's own need no account file, so that a damaged one can be repaired.
    pub(super) fn attributes(
        &self,
        owner: Option<&Principal>,
        group: Option<&Principal>,
        mode: Option<u32>,
    ) -> Result<Attributes, Failure> {
        let number = |who: Option<&Principal>, what: &str| match who {
            None => Ok(None),
            Some(Principal::Number(number)) => Ok(Some(*number)),
            Some(Principal::Name(name)) => {
                let accounts = self.read_accounts()?;
                let who = Principal::Name(name.clone());
                let found = if what == "user" { accounts.uid(&who) } else { accounts.gid(&who) };
                found.map(Some).ok_or_else(|| Failure::Missing { what: format!("{what} {name}") })
            }
        };
        Ok(Attributes { uid: number(owner, "user")?, gid: number(group, "group")?, mode })
    }

    fn write_file(
        &self,
        path: &HostPath,
        content: &Content,
        wanted: Attributes,
        (validate, attempt): (&[String], &Attempt),
    ) -> Result<(), Failure> {
        let temp_name = temp_name(path.file_name(), &attempt.tag);
        let (Attributes { uid: Some(uid), gid: Some(gid), mode: Some(mode) }, path) = (wanted, path) else {
            unreachable!("a written file has an owner, a group and a mode");
        };
        let target = Target {
            path: path.as_path(),
            temp_name: &temp_name,
            uid,
            gid,
            mode,
            keep: Keep::Existing,
            expect: expected(path, FileKind::File)?,
            // Containers mount single files, such as /etc/hosts; there is no other way to change those.
            busy: WhenBusy::WriteInPlace,
        };
        let mut check = |staged: &Path| self.validate(validate, staged, attempt);
        let mut check: Option<atomic_write::Validate<'_>> =
            if validate.is_empty() { None } else { Some(&mut check) };
        self.with_bytes(content, &mut |bytes| Ok(atomic_write(&target, bytes, check.take()).map(drop)?))
    }

    /// The bytes, from wherever they are.
    pub(super) fn with_bytes(
        &self,
        content: &Content,
        take: &mut dyn FnMut(&mut dyn atomic_write::Content) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match content {
            Content::Held(held) => take(&mut Cursor::new(&held.bytes()[..])),
            Content::Hidden(bytes) => take(&mut Cursor::new(&bytes.expose()[..])),
            Content::Stored(digest, size) => take(&mut Stored::open(self.blobs.as_ref(), *digest, *size)?),
        }
    }

    pub(super) fn validate(&self, argv: &[String], staged: &Path, attempt: &Attempt) -> Result<(), Failure> {
        let filled = argv.iter().map(|argument| fill(argument, staged));
        let mut child = crate::os::child::Child::new(filled);
        child.timeout = attempt.timeout.unwrap_or(child.timeout);
        let output = child.run()?;
        if output.status.success() {
            return Ok(());
        }
        Err(super::run::told(&output, &locked(&self.mask).clone()))
    }
}

/// Removes the temporary names that an op which was cut off may have left.
pub(super) fn clean(op: &Op, tag: &str) -> Result<(), Failure> {
    match op {
        Op::WriteFile { path, .. } | Op::MakeSymlink { path, .. } => discard(path, tag),
        Op::Together(together) => together::temporary(together, tag)
            .try_for_each(|(path, (new, old))| discard(path, &new).and(discard(path, &old))),
        _ => Ok(()),
    }
}

fn discard(path: &HostPath, tag: &str) -> Result<(), Failure> {
    let temp = path.as_path().with_file_name(temp_name(path.file_name(), tag));
    match safe_path::look(&temp, Follow::No)? {
        Some(_) => Ok(remove(&temp, Expect::Anything)?),
        None => Ok(()),
    }
}

/// On a descriptor of the very object that was looked at.
fn set_xattrs(path: &HostPath, coded: &BTreeMap<String, String>) -> Result<(), Failure> {
    let bad =
        |name: &str| Failure::io("set an attribute of", path, format!("the value of {name} is no base64"));
    let mut wanted = Xattrs::new();
    for (name, value) in coded {
        wanted.insert(OsString::from(name), STANDARD.decode(value).map_err(|_| bad(name))?);
    }
    let found = safe_path::open_node(path.as_path(), Follow::No)?;
    let node = found.ok_or_else(|| Failure::Missing { what: path.to_string() })?;
    if !matches!(node.meta.kind(), FileKind::File | FileKind::Directory) {
        return Err(Failure::refused(
            format!("{path} is a {}", node.meta.kind()),
            "it has no attributes to set",
        ));
    }
    refuse_second_names(path.as_path(), &node.meta)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = reopen(&node.fd, flags).map_err(|error| Failure::io("open", path, error))?;
    let set = xattr::write(&opened, &wanted).and_then(|()| fsync(&opened));
    set.map_err(|error| Failure::io("set the attributes of", path, error))
}

/// What a file or link that is to be put at `path` will replace: one of its own type, or nothing.
pub(super) fn expected(path: &HostPath, kind: FileKind) -> Result<Expect, Failure> {
    expectation(path, safe_path::look(path.as_path(), Follow::No)?.as_ref(), kind)
}

/// The same, where it has been looked at.
pub(super) fn expectation(path: &HostPath, found: Option<&Meta>, kind: FileKind) -> Result<Expect, Failure> {
    match found {
        None => Ok(Expect::Absent),
        Some(meta) if meta.kind() == kind => Ok(Expect::Same(meta.identity)),
        Some(meta) => {
            let why = format!("{path} is a {}, not a {kind}", meta.kind());
            Err(Failure::refused(why, "remove it first, or write `force = true`"))
        }
    }
}

/// `.NAME.keel-TAG`, with so much of the name as there is room for.
pub(super) fn temp_name(name: &OsStr, tag: &str) -> OsString {
    let mut room = LONGEST_NAME.saturating_sub(".".len() + ".keel-".len() + tag.len()).min(name.len());
    // Some file systems take only UTF-8: do not cut within a character.
    while room > 0 && room < name.len() && name.as_bytes()[room] & 0xc0 == 0x80 {
        room -= 1;
    }
    OsString::from_vec([b".", &name.as_bytes()[..room], b".keel-", tag.as_bytes()].concat())
}

/// Puts the path of the staged file in place of `{{ path }}`.
fn fill(argument: &str, staged: &Path) -> OsString {
    let mut out = OsString::new();
    let mut rest = argument;
    while let Some((before, after)) = rest.split_once("{{") {
        match after.split_once("}}") {
            Some((name, after)) if name.trim() == "path" => {
                out.push(before);
                out.push(staged);
                rest = after;
            }
            _ => {
                out.push(before);
                out.push("{{");
                rest = after;
            }
        }
    }
    out.push(rest);
    out
}

#[cfg(test)]
mod tests;
