//! Carries out what changes together: everything is staged, what is to be is shown to the checks, and then it takes its place.
//!
//! Nothing is ever put in place that a check has not passed. Where the kernel gives no namespace to show it in, that is refused.

use super::file_ops::temp_name;
use super::host::{Host, Manager, locked};
use super::run::{hidden, told};
use crate::os::atomic_write::{Keep, Target, Validate, WhenBusy};
use crate::os::meta::{Expect, FileKind};
use crate::os::preview::preview;
use crate::os::safe_path::{self, Follow};
use crate::os::swap::Swap;
use crate::system::Attempt;
use model::{Check, Content, Failure, HostPath, Op, Principal, Together};
use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

/// Deadline of a check that names none.
const LONGEST: Duration = Duration::from_secs(60);

impl Host<'_> {
    pub(super) fn change_together(&self, together: &Together, attempt: &Attempt) -> Result<(), Failure> {
        let mut swap = Swap::default();
        let staged = temporary(together, &attempt.tag)
            .zip(&together.changes)
            .try_for_each(|((_, tags), change)| self.stage(&mut swap, change, (tags, attempt)));
        match staged.and_then(|()| self.try_out(&mut swap, together)) {
            Ok(()) => Ok(swap.finish()?),
            Err(cause) => match swap.put_back() {
                Ok(()) => Err(cause),
                Err(left) => Err(Failure::refused(
                    format!("{cause}; and not everything could be put back: {left}"),
                    "look at the files, then run again",
                )),
            },
        }
    }

    fn stage(
        &self,
        swap: &mut Swap,
        change: &Op,
        ((new, old), attempt): ((String, String), &Attempt),
    ) -> Result<(), Failure> {
        let named = |path: &HostPath, tag: &str| temp_name(path.file_name(), tag);
        match change {
            Op::WriteFile { path, content, owner, group, mode, validate } => {
                let wanted = self.attributes(Some(owner), Some(group), Some(*mode))?;
                let (Some(uid), Some(gid)) = (wanted.uid, wanted.gid) else {
                    unreachable!("a written file has an owner and a group");
                };
                let (expect, keep, busy) = (expected(path)?, Keep::Existing, WhenBusy::Refuse);
                let (temp_name, second) = (&named(path, &new), named(path, &old));
                let target =
                    Target { path: path.as_path(), temp_name, uid, gid, mode: *mode, keep, expect, busy };
                let mut ask = |staged: &Path| self.validate(validate, staged, attempt);
                let mut ask: Option<Validate<'_>> = if validate.is_empty() { None } else { Some(&mut ask) };
                self.with_bytes(content, &mut |bytes| {
                    Ok(swap.file(&target, second.clone(), (bytes, ask.take()))?)
                })
            }
            Op::MakeSymlink { path, target } => {
                let root = Principal::Number(0);
                let owner = self.attributes(Some(&root), Some(&root), None)?;
                let names = (named(path, &new), named(path, &old));
                Ok(swap.link((path.as_path(), OsStr::new(target)), names, owner, expected(path)?)?)
            }
            Op::Remove { path } => Ok(swap.removal(path.as_path(), named(path, &old), expected(path)?)?),
            other => Err(Failure::refused(format!("{other} cannot be staged"), "compile the catalog again")),
        }
    }

    fn try_out(&self, swap: &mut Swap, together: &Together) -> Result<(), Failure> {
        let ask = || together.checks.iter().try_for_each(|check| self.ask(check, &together.changes));
        match &self.manager {
            Manager::Running => {
                preview(&swap.coming(), ask)?;
                Ok(swap.place()?)
            }
            // A throwaway root has no right to mount, and needs none: nobody sees what is put back.
            Manager::Recorded(_) => {
                swap.place()?;
                ask()
            }
        }
    }

    /// Contents that are secret as a whole are kept out of what the check says, besides all that is known to be secret.
    fn ask(&self, check: &Check, changes: &[Op]) -> Result<(), Failure> {
        let secret = changes.iter().filter_map(|change| match change {
            Op::WriteFile { content: Content::Hidden(bytes), .. } => Some(&bytes.expose()[..]),
            _ => None,
        });
        let mask = locked(&self.mask).with(secret);
        let output = self.child(&check.command, LONGEST)?.run().map_err(|failure| hidden(failure, &mask))?;
        if output.status.success() { Ok(()) } else { Err(told(&output, &mask)) }
    }
}

/// The path of each change, with what its two temporary names are told by: of what comes, and of what was there.
pub(super) fn temporary<'a>(
    together: &'a Together,
    tag: &str,
) -> impl Iterator<Item = (&'a HostPath, (String, String))> {
    let path = |change: &'a Op| match change {
        Op::WriteFile { path, .. } | Op::MakeSymlink { path, .. } | Op::Remove { path } => Some(path),
        _ => None,
    };
    let tags = move |number: usize| (format!("{tag}-{number}"), format!("{tag}-{number}-old"));
    together
        .changes
        .iter()
        .enumerate()
        .filter_map(move |(number, change)| Some((path(change)?, tags(number))))
}

/// The file or link that stands at `path`, or nothing.
fn expected(path: &HostPath) -> Result<Expect, Failure> {
    match safe_path::look(path.as_path(), Follow::No)? {
        None => Ok(Expect::Absent),
        Some(meta) if matches!(meta.kind(), FileKind::File | FileKind::Symlink) => {
            Ok(Expect::Same(meta.identity))
        }
        Some(meta) => {
            let why = format!("{path} is a {}, which cannot be changed together with others", meta.kind());
            Err(Failure::refused(why, "remove it first"))
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "prepares and looks at scratch files")]
#[cfg(test)]
mod tests;
