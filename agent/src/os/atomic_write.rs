//! Replacing a file so that at every instant, also after a power cut, there is the whole old one or the whole new one.
//! The order is fixed: temporary file, content, owner, attributes, mode, fsync, validation, a last look, rename, fsync of the
//! directory. Only when this has returned may the journal say `done`. It must not decide what the content is.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use model::Failure;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid, fchmod, fchown, fstat, fsync, ftruncate, openat};

use super::attributes::{refuse_second_names, verify};
use super::error::{Doing, OsError, Result};
use super::file_syncs;
use super::letting_go;
use super::meta::{Expect, FileKind, Meta};
use super::parent::Parent;
use super::safe_path::require;
use super::xattr::{self, Xattrs};
use crate::failpoint;

/// What is to be where.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The file.
    pub path: &'a Path,
    /// A free name in the same directory, which recovery can know for ours: `.NAME.keel-RUN-SEQ`.
    pub temp_name: &'a OsStr,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// The low 12 mode bits.
    pub mode: u32,
    /// Extended attributes.
    pub keep: Keep<'a>,
    /// What must be at the path right before the rename.
    pub expect: Expect,
    /// What to do if the path is a mount point.
    pub busy: WhenBusy,
}

/// Which extended attributes, ACL among them, the new file gets.
#[derive(Debug, Clone, Copy)]
pub enum Keep<'a> {
    /// Those of the file that is replaced; if there is none, what the directory passes on.
    Existing,
    /// What the directory passes on.
    Inherited,
    /// Exactly these, as when a file is brought back.
    These(&'a Xattrs),
}

/// What to do with a file that cannot be replaced by renaming, such as /etc/hosts in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenBusy {
    /// Give up with `OsError::Busy`.
    Refuse,
    /// Write it in place, which is not atomic; the plan has said so.
    WriteInPlace,
}

/// How the file was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// By renaming.
    Atomically,
    /// In place.
    InPlace,
}

/// The new bytes. They may be read twice: after a failed fsync they are written again, to another file.
pub trait Content: Read + Seek {}

impl<T: Read + Seek> Content for T {}

/// Asks whether the staged file, which has its final owner and mode, may take its place.
pub type Validate<'a> = &'a mut dyn FnMut(&Path) -> std::result::Result<(), Failure>;

/// Puts the content in place, durably.
///
/// # Errors
/// `Rejected` by the validator, `Changed`, `Busy`, or the system's answer. After any error save one of the last directory sync
/// the old file is untouched, and no temporary file is left unless the error is `Leftover`.
pub fn atomic_write(
    target: &Target<'_>,
    content: &mut dyn Content,
    validate: Option<Validate<'_>>,
) -> Result<Written> {
    let (parent, staged) = stage_beside(target, content, validate)?;
    let discard = |cause| parent.discard(target.temp_name, AtFlags::empty(), cause);
    match take_place(target, &parent, &staged) {
        Ok(()) => {
            failpoint::hit("write.renamed").doing("sync the directory of", target.path)?;
            parent.sync()?;
            failpoint::hit("write.done").doing("sync the directory of", target.path)?;
            Ok(Written::Atomically)
        }
        Err(cause @ OsError::Busy { .. }) if target.busy == WhenBusy::WriteInPlace => {
            let left = parent.discard(target.temp_name, AtFlags::empty(), cause);
            if matches!(left, OsError::Leftover { .. }) {
                return Err(left);
            }
            in_place(target, &parent, content)?;
            Ok(Written::InPlace)
        }
        Err(cause) => Err(discard(cause)),
    }
}

/// Makes the temporary file beside the target, as it is to be, and asks the validator. Nothing is left of it after an error.
pub(super) fn stage_beside(
    target: &Target<'_>,
    content: &mut dyn Content,
    validate: Option<Validate<'_>>,
) -> Result<(Parent, Meta)> {
    letting_go::wait();
    let parent = Parent::open(target.path)?;
    let Model { xattrs, .. } = prepare(target, &parent, parent.look()?.as_ref())?;
    let staged = stage(target, &parent, content, xattrs.as_ref())?;
    match accept(target, validate) {
        Ok(()) => Ok((parent, staged)),
        Err(cause) => Err(parent.discard(target.temp_name, AtFlags::empty(), cause)),
    }
}

/// What a new file is made from.
#[derive(Default)]
pub(super) struct Model {
    /// The attributes that it gets; `None` for what the directory passes on.
    pub(super) xattrs: Option<Xattrs>,
    /// The file that it replaces, opened.
    pub(super) old: Option<File>,
}

/// Looks at what the new file is to replace, which was found there.
pub(super) fn prepare(target: &Target<'_>, parent: &Parent, found: Option<&Meta>) -> Result<Model> {
    verify(target.path, found, target.expect)?;
    let mut model = model(target, parent, found)?;
    if let Some(xattrs) = &mut model.xattrs {
        xattr::fit_acl(xattrs, target.mode);
    }
    Ok(model)
}

/// Makes the temporary file complete; it is not durable yet.
pub(super) fn write_temporary(
    target: &Target<'_>,
    parent: &Parent,
    content: &mut dyn Content,
    xattrs: Option<&Xattrs>,
) -> Result<Arc<File>> {
    let file = create(target, parent)?;
    let discard = |cause| parent.discard(target.temp_name, AtFlags::empty(), cause);
    fill(target, &file, content, xattrs).map_err(discard)?;
    Ok(Arc::new(file))
}

/// Makes the temporary file complete and durable; a second time, from the source, if the first fsync fails (a page that could not
/// be written may be marked clean, so that a repeated fsync of the same file would succeed and lie).
fn stage(
    target: &Target<'_>,
    parent: &Parent,
    content: &mut dyn Content,
    xattrs: Option<&Xattrs>,
) -> Result<Meta> {
    let mut last = None;
    for _ in 0..2 {
        let file = write_temporary(target, parent, content, xattrs)?;
        let discard = |cause| parent.discard(target.temp_name, AtFlags::empty(), cause);
        let synced = failpoint::hit("write.fsync").and_then(|()| Ok(file_syncs::sync(&file)?));
        match synced.doing("sync the new content of", target.path) {
            Ok(()) => {
                return Ok(Meta::from(&fstat(&file).doing("look at the new", target.path).map_err(discard)?));
            }
            Err(cause) => match discard(cause) {
                left @ OsError::Leftover { .. } => return Err(left),
                cause => last = Some(cause),
            },
        }
    }
    Err(last.expect("the loop runs twice and leaves by an error"))
}

fn create(target: &Target<'_>, parent: &Parent) -> Result<File> {
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
    failpoint::hit("write.create").doing("make a temporary file beside", target.path)?;
    let fd = openat(&parent.dir, target.temp_name, flags, Mode::RUSR | Mode::WUSR);
    fd.map(File::from).doing("make a temporary file beside", target.path)
}

/// Owner before attributes and mode, for a change of owner clears capabilities and setuid.
fn fill(target: &Target<'_>, file: &File, content: &mut dyn Content, xattrs: Option<&Xattrs>) -> Result<()> {
    failpoint::hit("write.created").doing("write the new content of", target.path)?;
    copy(content, file).doing("write the new content of", target.path)?;
    failpoint::hit("write.written").doing("change the owner of the new", target.path)?;
    let made = fstat(file).doing("look at the new", target.path)?;
    // To ask costs less than to change what is right, which has the file system write it down again.
    if (made.st_uid, made.st_gid) != (target.uid, target.gid) {
        let (uid, gid) = (Uid::from_raw(target.uid), Gid::from_raw(target.gid));
        fchown(file, Some(uid), Some(gid)).doing("change the owner of the new", target.path)?;
    }
    if let Some(xattrs) = xattrs {
        xattr::write(file, xattrs).doing("carry the extended attributes over to the new", target.path)?;
    }
    fchmod(file, Mode::from_raw_mode(target.mode)).doing("change the mode of the new", target.path)
}

fn copy(content: &mut dyn Content, mut file: &File) -> io::Result<()> {
    content.rewind()?;
    io::copy(content, &mut file)?;
    Ok(())
}

fn model(target: &Target<'_>, parent: &Parent, found: Option<&Meta>) -> Result<Model> {
    match target.keep {
        Keep::Inherited => Ok(Model::default()),
        Keep::These(xattrs) => Ok(Model { xattrs: Some(xattrs.clone()), old: None }),
        Keep::Existing if found.is_none_or(|meta| meta.kind() != FileKind::File) => Ok(Model::default()),
        Keep::Existing => {
            let file = open_existing(parent, OFlags::RDONLY)?;
            let xattrs = xattr::read(&file).doing("read the extended attributes of", target.path)?;
            Ok(Model { xattrs: Some(xattrs), old: Some(file) })
        }
    }
}

fn open_existing(parent: &Parent, access: OFlags) -> Result<File> {
    let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    openat(&parent.dir, &parent.name, flags, Mode::empty()).map(File::from).doing("open", &parent.path)
}

pub(super) fn accept(target: &Target<'_>, validate: Option<Validate<'_>>) -> Result<()> {
    failpoint::hit("write.synced").doing("replace", target.path)?;
    let Some(validate) = validate else { return Ok(()) };
    let reject = |reason| OsError::Rejected { path: target.path.to_owned(), reason: Box::new(reason) };
    validate(&target.path.with_file_name(target.temp_name)).map_err(reject)
}

/// Gives the staged file its name, where it is still ours and the target still what was planned.
pub(super) fn take_place(target: &Target<'_>, parent: &Parent, staged: &Meta) -> Result<()> {
    parent.require_untouched(target.temp_name, staged)?;
    verify(target.path, parent.look()?.as_ref(), target.expect)?;
    place(target, parent)
}

fn place(target: &Target<'_>, parent: &Parent) -> Result<()> {
    match failpoint::hit("write.rename") {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::BUSY.raw_os_error()) => {
            Err(OsError::Busy { path: target.path.to_owned() })
        }
        hit => {
            hit.doing("replace", target.path).and_then(|()| parent.take_name(target.temp_name, target.expect))
        }
    }
}

/// Not atomic. The same inode keeps its name, so its ACL and attributes stay by themselves.
fn in_place(target: &Target<'_>, parent: &Parent, content: &mut dyn Content) -> Result<()> {
    let file = open_existing(parent, OFlags::WRONLY)?;
    let meta = Meta::from(&fstat(&file).doing("look at", target.path)?);
    require(target.path, &meta, FileKind::File)?;
    verify(target.path, Some(&meta), target.expect)?;
    refuse_second_names(target.path, &meta)?;
    ftruncate(&file, 0).doing("empty", target.path)?;
    copy(content, &file).doing("write", target.path)?;
    let (uid, gid) = (Uid::from_raw(target.uid), Gid::from_raw(target.gid));
    fchown(&file, Some(uid), Some(gid)).doing("change the owner of", target.path)?;
    fchmod(&file, Mode::from_raw_mode(target.mode)).doing("change the mode of", target.path)?;
    fsync(&file).doing("sync", target.path)
}
