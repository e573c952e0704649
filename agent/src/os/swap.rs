//! Several names that change together: all are staged beside their places, and then take them one after the other. Each name that
//! stands there keeps a second name meanwhile, so that all can be put back where one of them fails. A process that dies between two
//! renames leaves some of each; the next run goes on from there, and takes the temporary names away.
//!
//! It must not decide what comes where, nor ask anybody whether it is good.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, linkat, renameat, unlinkat};
use rustix::io::Errno;

use super::atomic_write::{Content, Target, Validate, stage_beside};
use super::attributes::{Attributes, verify};
use super::error::{Doing, OsError, Result};
use super::make::stage_symlink;
use super::meta::{Expect, Meta};
use super::parent::Parent;
use crate::failpoint;

/// The names that change together.
#[derive(Default)]
pub(super) struct Swap(Vec<Item>);

/// One name.
struct Item {
    parent: Parent,
    /// Temporary name of what comes, and what was staged there; `None` where the name only goes.
    staged: Option<(OsString, Meta)>,
    /// Second name of what stands there, as long as it may have to be put back.
    old: OsString,
    expect: Expect,
    placed: bool,
}

/// What an onlooker needs to see one name as it is to be.
pub(super) struct Coming<'a> {
    /// The place.
    pub(super) path: &'a Path,
    /// The temporary name beside it that is to take it; `None` where the name is to go.
    pub(super) temp: Option<&'a OsStr>,
}

impl Swap {
    /// Stages a file. `old` is another free name in its directory.
    pub(super) fn file(
        &mut self,
        target: &Target<'_>,
        old: OsString,
        (content, validate): (&mut dyn Content, Option<Validate<'_>>),
    ) -> Result<()> {
        let (parent, meta) = stage_beside(target, content, validate)?;
        let staged = Some((target.temp_name.to_owned(), meta));
        self.0.push(Item { parent, staged, old, expect: target.expect, placed: false });
        Ok(())
    }

    /// Stages a symbolic link under `temp`.
    pub(super) fn link(
        &mut self,
        (path, target): (&Path, &OsStr),
        (temp, old): (OsString, OsString),
        owner: Attributes,
        expect: Expect,
    ) -> Result<()> {
        let parent = Parent::open(path)?;
        verify(path, parent.look()?.as_ref(), expect)?;
        stage_symlink(&parent, target, &temp, owner)?;
        match parent.look_at(&temp) {
            Ok(Some(meta)) => {
                let staged = Some((temp, meta));
                self.0.push(Item { parent, staged, old, expect, placed: false });
                Ok(())
            }
            Ok(None) => Err(Errno::NOENT).doing("look at the new", path),
            Err(cause) => Err(parent.discard(&temp, AtFlags::empty(), cause)),
        }
    }

    /// Has a name go.
    pub(super) fn removal(&mut self, path: &Path, old: OsString, expect: Expect) -> Result<()> {
        let parent = Parent::open(path)?;
        verify(path, parent.look()?.as_ref(), expect)?;
        self.0.push(Item { parent, staged: None, old, expect, placed: false });
        Ok(())
    }

    /// What is staged.
    pub(super) fn coming<'a>(&'a self) -> Vec<Coming<'a>> {
        let temp = |item: &'a Item| item.staged.as_ref().map(|(temp, _)| temp.as_os_str());
        self.0.iter().map(|item| Coming { path: &item.parent.path, temp: temp(item) }).collect()
    }

    /// Has all take their places. After an error some have: [`Swap::put_back`] is to follow.
    pub(super) fn place(&mut self) -> Result<()> {
        failpoint::hit("swap.staged").doing("replace", Path::new("what was staged"))?;
        self.0.iter().try_for_each(Item::last_look)?;
        self.0.iter_mut().try_for_each(Item::place)
    }

    /// Lets go of what was there, and returns when all is durable.
    pub(super) fn finish(self) -> Result<()> {
        for item in self.0.iter().filter(|item| item.expect != Expect::Absent) {
            failpoint::hit("swap.placed").doing("remove the second name of", &item.parent.path)?;
            item.unlink(&item.old).doing("remove the second name of", &item.parent.path)?;
        }
        self.sync()
    }

    /// Puts everything back as it was, and takes away what was staged.
    pub(super) fn put_back(self) -> Result<()> {
        // One that cannot be put back does not keep the others from it.
        let backs: Vec<Result<()>> = self.0.iter().rev().map(Item::put_back).collect();
        backs.into_iter().collect::<Result<()>>().and(self.sync())
    }

    fn sync(&self) -> Result<()> {
        let mut synced: BTreeSet<Option<PathBuf>> = BTreeSet::new();
        for Item { parent, .. } in &self.0 {
            if synced.insert(parent.path.parent().map(Path::to_owned)) {
                failpoint::hit("swap.sync").doing("sync the directory of", &parent.path)?;
                parent.sync()?;
            }
        }
        Ok(())
    }
}

impl Item {
    fn last_look(&self) -> Result<()> {
        if let Some((temp, staged)) = &self.staged {
            self.parent.require_untouched(temp, staged)?;
        }
        verify(&self.parent.path, self.parent.look()?.as_ref(), self.expect)
    }

    fn place(&mut self) -> Result<()> {
        let (dir, path) = (&self.parent.dir, &self.parent.path);
        failpoint::hit("swap.place").doing("replace", path)?;
        if self.expect != Expect::Absent {
            linkat(dir, &self.parent.name, dir, &self.old, AtFlags::empty())
                .doing("keep a second name of", path)?;
            verify(path, self.parent.look_at(&self.old)?.as_ref(), self.expect)?;
        }
        match &self.staged {
            Some((temp, _)) => self.parent.take_name(temp, self.expect)?,
            None => unlinkat(dir, &self.parent.name, AtFlags::empty()).doing("remove", path)?,
        }
        self.placed = true;
        Ok(())
    }

    fn put_back(&self) -> Result<()> {
        let (dir, name, path) = (&self.parent.dir, &self.parent.name, &self.parent.path);
        if self.placed && self.expect == Expect::Absent {
            self.unlink(name).doing("take back", path)?;
        } else if self.placed {
            renameat(dir, &self.old, dir, name).doing("put back", path)?;
        }
        let temp = self.staged.iter().map(|(temp, _)| temp);
        temp.chain([&self.old]).try_for_each(|temp| {
            self.unlink(temp).map_err(|errno| OsError::Io {
                doing: "remove",
                path: path.with_file_name(temp),
                source: errno.into(),
            })
        })
    }

    fn unlink(&self, name: &OsStr) -> std::result::Result<(), Errno> {
        match unlinkat(&self.parent.dir, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            other => other,
        }
    }
}
