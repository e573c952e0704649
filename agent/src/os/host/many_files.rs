//! Writes several files by one call of the safety core.

use super::file_ops::{expectation, temp_name};
use super::host::Host;
use super::stored::Stored;
use crate::os::atomic_write::{self, Keep, Target, WhenBusy};
use crate::os::attributes::Attributes;
use crate::os::meta::FileKind;
use crate::os::parent::Parents;
use crate::os::write_many::{Item, write_many};
use crate::system::{Attempt, Touched};
use model::{Content, Failure, Op};
use std::ffi::{OsStr, OsString};
use std::io::Cursor;

impl Host<'_> {
    /// How each op ended, in their order. One that does not just write a file goes by itself.
    pub(super) fn write_files(&self, all: &[(&Op, Attempt)]) -> Vec<Result<Touched, Failure>> {
        let temp = |(op, attempt): &(&Op, Attempt)| match op {
            Op::WriteFile { path, .. } => temp_name(path.file_name(), &attempt.tag),
            _ => OsString::new(),
        };
        let temps: Vec<OsString> = all.iter().map(temp).collect();
        let (mut items, mut parents) = (Vec::new(), Parents::default());
        let mut prepared = Vec::new();
        for ((op, attempt), temp) in all.iter().zip(&temps) {
            prepared.push(match self.item(op, temp, &mut parents) {
                Some(Ok(item)) => {
                    items.push(item);
                    None
                }
                Some(Err(failure)) => Some(Err(failure)),
                None => Some(self.change(op, attempt)),
            });
        }
        let mut written = write_many(&mut items).into_iter();
        let mut ended = |prepared: Option<Result<Touched, Failure>>| match (prepared, &mut written) {
            (Some(ended), _) => ended,
            (None, written) => {
                let written = written.next().expect("each item has an end");
                written.map(|()| Touched::new()).map_err(Failure::from)
            }
        };
        prepared.into_iter().map(&mut ended).collect()
    }

    /// What is to be written where; `None` for another op.
    fn item<'a>(
        &'a self,
        op: &'a Op,
        temp_name: &'a OsStr,
        parents: &mut Parents,
    ) -> Option<Result<Item<'a>, Failure>> {
        let Op::WriteFile { path, content, owner, group, mode, validate } = op else { return None };
        if !validate.is_empty() {
            return None;
        }
        let mut item = || {
            let wanted = self.attributes(Some(owner), Some(group), Some(*mode))?;
            let Attributes { uid: Some(uid), gid: Some(gid), mode: Some(mode) } = wanted else {
                unreachable!("a written file has an owner, a group and a mode");
            };
            let (keep, busy) = (Keep::Existing, WhenBusy::WriteInPlace);
            let parent = parents.open(path.as_path())?;
            let found = parent.look()?;
            let expect = expectation(path, found.as_ref(), FileKind::File)?;
            let target = Target { path: path.as_path(), temp_name, uid, gid, mode, keep, expect, busy };
            Ok(Item { target, parent, found, content: self.bytes(content)? })
        };
        Some(item())
    }

    fn bytes<'a>(&'a self, content: &'a Content) -> Result<Box<dyn atomic_write::Content + 'a>, Failure> {
        Ok(match content {
            Content::Held(held) => Box::new(Cursor::new(&held.bytes()[..])),
            Content::Hidden(bytes) => Box::new(Cursor::new(&bytes.expose()[..])),
            Content::Stored(digest, size) => Box::new(Stored::open(self.blobs.as_ref(), *digest, *size)?),
        })
    }
}
