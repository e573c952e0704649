//! Writing several small files at once, each as `atomic_write` has it: what costs is done once for all of them. All are staged, then
//! synced, then take their names, then their directories are synced. They are several changes: one may fail where others do not.
//!
//! What does not go the usual way, as a sync that failed or a mount point, is written again by itself.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, fstat};

use super::atomic_write::{
    Content, Model, Target, accept, atomic_write, prepare, take_place, write_temporary,
};
use super::error::{Doing, OsError, Result};
use super::file_syncs;
use super::letting_go;
use super::meta::Meta;
use super::parent::Parent;
use crate::failpoint;

/// A file to write.
pub struct Item<'a> {
    /// What is to be where.
    pub target: Target<'a>,
    /// Its directory.
    pub parent: Parent,
    /// What stands there now.
    pub found: Option<Meta>,
    /// Its bytes.
    pub content: Box<dyn Content + 'a>,
}

/// Puts all in place, durably; how each ended, in their order.
///
/// # Errors
/// Of each those of `atomic_write`.
pub fn write_many(items: &mut [Item<'_>]) -> Vec<Result<()>> {
    letting_go::wait();
    let staged: Vec<Result<Staged>> = items.iter_mut().map(stage).collect();
    let files: Vec<Arc<File>> = staged.iter().flatten().map(|staged| Arc::clone(&staged.file)).collect();
    let mut synced = sync(&files).into_iter();
    drop(files);
    let (mut placed, mut old) = (Vec::with_capacity(items.len()), Vec::new());
    for (item, staged) in items.iter().zip(staged) {
        placed.push(staged.and_then(|staged| {
            old.extend(staged.old);
            place(item, staged.file, synced.next().unwrap_or(false))
        }));
    }
    letting_go::let_go(old);
    let mut durable: BTreeSet<&Path> = BTreeSet::new();
    let mut ended = Vec::with_capacity(items.len());
    for (item, placed) in items.iter_mut().zip(placed) {
        ended.push(match placed {
            Ok(true) => make_durable(item.target.path, &item.parent, &mut durable),
            Ok(false) => atomic_write(&item.target, &mut *item.content, None).map(drop),
            Err(cause) => Err(cause),
        });
    }
    ended
}

/// A temporary file that is complete.
struct Staged {
    file: Arc<File>,
    /// What it is to replace, where that is kept open until the others have been replaced as well.
    old: Option<File>,
}

fn stage(Item { target, parent, found, content }: &mut Item<'_>) -> Result<Staged> {
    let Model { xattrs, old } = prepare(target, parent, found.as_ref())?;
    let file = write_temporary(target, parent, &mut **content, xattrs.as_ref())?;
    let is_small = found.is_some_and(|found| found.size <= letting_go::LARGEST);
    Ok(Staged { file, old: old.filter(|_| is_small) })
}

/// Which of them are durable. The others are not looked at again: they are made anew.
fn sync(files: &[Arc<File>]) -> Vec<bool> {
    let hits: Vec<bool> = files.iter().map(|_| failpoint::hit("write.fsync").is_ok()).collect();
    hits.into_iter().zip(file_syncs::sync_all(files)).map(|(hit, synced)| hit && synced.is_ok()).collect()
}

/// Gives it its name; false where it has to be written by itself, and nothing is left of it.
fn place(Item { target, parent, .. }: &Item<'_>, file: Arc<File>, is_synced: bool) -> Result<bool> {
    let discard = |cause| parent.discard(target.temp_name, AtFlags::empty(), cause);
    let placed = match is_synced {
        false => Err(OsError::Busy { path: target.path.to_owned() }),
        true => fstat(&file).doing("look at the new", target.path).and_then(|stat| {
            accept(target, None)?;
            take_place(target, parent, &Meta::from(&stat))
        }),
    };
    match placed {
        Ok(()) => Ok(true),
        Err(cause) => match discard(cause) {
            OsError::Busy { .. } => Ok(false),
            cause => Err(cause),
        },
    }
}

/// One sync of a directory is enough for all names that were taken in it before.
fn make_durable<'a>(path: &'a Path, parent: &Parent, durable: &mut BTreeSet<&'a Path>) -> Result<()> {
    failpoint::hit("write.renamed").doing("sync the directory of", path)?;
    let directory = path.parent().unwrap_or(path);
    if !durable.contains(directory) {
        parent.sync()?;
        durable.insert(directory);
    }
    failpoint::hit("write.done").doing("sync the directory of", path)
}
