//! What is different between the old and the new form of one name, in words, with a diff where everybody may read both.
//! It must never show what not everybody may read, nor what holds a secret.

use super::walk::{Touched, look};
use crate::engine::unified;
use model::{Failure, HostPath, RehearsedFile, Turn};
use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Largest side of a diff, in bytes.
const LARGEST: u64 = 256 << 10;

/// Attributes beside owner and mode that matter to anybody; the layers do not carry all others.
const ATTRIBUTES: [(&str, &std::ffi::CStr); 3] = [
    ("capabilities", c"security.capability"),
    ("ACL", c"system.posix_acl_access"),
    ("default ACL", c"system.posix_acl_default"),
];

/// What a reader of the result may see of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// Its text, if everybody may read it.
    Text,
    /// Its size.
    Size,
    /// That it changed.
    Nothing,
}

/// Names of users and groups by number.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) users: BTreeMap<u32, String>,
    pub(super) groups: BTreeMap<u32, String>,
}

/// Both forms, as far as they exist.
struct Forms<'a> {
    old: Option<(&'a Path, Metadata)>,
    new: Option<(&'a Path, Metadata)>,
}

impl<'a> Forms<'a> {
    fn of(touched: &'a Touched) -> Result<Self, Failure> {
        let form = |path: &'a Option<std::path::PathBuf>| -> Result<_, Failure> {
            let Some(path) = path.as_deref() else { return Ok(None) };
            Ok(look(path)?.map(|found| (path, found)))
        };
        Ok(Self { old: form(&touched.old)?, new: form(&touched.new)? })
    }

    fn is_file(form: Option<&(&Path, Metadata)>) -> bool {
        form.is_some_and(|(_, found)| found.is_file())
    }
}

/// How far two forms are from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Distance {
    /// Nothing that anybody can see.
    Same,
    /// Only the time of the last change of a file.
    Touched,
    /// More than that.
    Different,
}

/// Whether there is any difference at all. Times of directories and links do not count.
pub(super) fn distance(touched: &Touched) -> Result<Distance, Failure> {
    let forms = Forms::of(touched)?;
    let (Some((old_path, old)), Some((new_path, new))) = (&forms.old, &forms.new) else {
        let both_gone = forms.old.is_none() && forms.new.is_none();
        return Ok(if both_gone { Distance::Same } else { Distance::Different });
    };
    let attributes = |found: &Metadata| (found.mode(), found.uid(), found.gid());
    let same = attributes(old) == attributes(new)
        && same_content((old_path, old), (new_path, new))?
        && ATTRIBUTES.iter().all(|(_, name)| attribute(old_path, name) == attribute(new_path, name));
    Ok(match same {
        false => Distance::Different,
        true if old.is_file() && old.mtime() != new.mtime() => Distance::Touched,
        true => Distance::Same,
    })
}

fn same_content(old: (&Path, &Metadata), new: (&Path, &Metadata)) -> Result<bool, Failure> {
    if old.1.is_symlink() {
        return Ok(target(old.0)? == target(new.0)?);
    }
    if !old.1.is_file() {
        return Ok(old.1.is_dir() || old.1.rdev() == new.1.rdev());
    }
    if old.1.len() != new.1.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (open(old.0)?, open(new.0)?);
    let (mut left, mut right) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        let (from_one, from_other) =
            (piece(&mut one, &mut left, old.0)?, piece(&mut other, &mut right, new.0)?);
        if left[..from_one] != right[..from_other] {
            return Ok(false);
        }
        if from_one == 0 {
            return Ok(true);
        }
    }
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| Failure::io("open", path.display(), error))
}

/// As much as there is, so that two files are read in step.
fn piece(file: &mut File, buffer: &mut [u8], path: &Path) -> Result<usize, Failure> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::io("read", path.display(), error)),
        }
    }
    Ok(got)
}

/// In words; `None` where the kernel has none, or the file system knows no such thing.
fn attribute(path: &Path, name: &std::ffi::CStr) -> Option<Vec<u8>> {
    let mut value = vec![0; 64 << 10];
    let length = rustix::fs::lgetxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

fn target(path: &Path) -> Result<String, Failure> {
    let target = std::fs::read_link(path).map_err(|error| Failure::io("read", path.display(), error))?;
    Ok(crate::os::capture::printable(target.as_os_str().as_bytes()))
}

fn what(found: &Metadata) -> &'static str {
    let kind = found.file_type();
    match () {
        () if kind.is_file() => "file",
        () if kind.is_dir() => "directory",
        () if kind.is_symlink() => "symlink",
        () if kind.is_fifo() => "fifo",
        () if kind.is_socket() => "socket",
        () if kind.is_char_device() => "character device",
        () => "block device",
    }
}

/// The difference in words. `secrets` are bytes that no text may hold if it is to be shown.
pub(super) fn tell(
    touched: &Touched,
    show: Show,
    names: &Names,
    secrets: &[&[u8]],
) -> Result<RehearsedFile, Failure> {
    let forms = Forms::of(touched)?;
    let path =
        HostPath::new(&touched.path).map_err(|why| Failure::io("name", touched.path.display(), why))?;
    let (turn, last) = match (&forms.old, &forms.new) {
        (None, Some((_, new))) => (Turn::Added, Some(new)),
        (Some((_, old)), None) => (Turn::Removed, Some(old)),
        (_, new) => (Turn::Changed, new.as_ref().map(|(_, new)| new)),
    };
    let what = last.map_or("file", what).to_owned();
    let mut details = attributes(&forms, names)?;
    let (mut diff, differs) = (None, content_differs(&forms)?);
    if differs {
        match text(&forms, show, secrets)? {
            Ok(text) => diff = Some(text),
            Err(instead) => details.push(instead),
        }
    }
    Ok(RehearsedFile { path, turn, what, details, diff: diff.filter(|diff| !diff.is_empty()) })
}

/// True where there is a text to be told of.
fn content_differs(forms: &Forms<'_>) -> Result<bool, Failure> {
    match (&forms.old, &forms.new) {
        (Some((old_path, old)), Some((new_path, new))) if old.is_file() && new.is_file() => {
            Ok(!same_content((old_path, old), (new_path, new))?)
        }
        (_, new) => Ok(Forms::is_file(new.as_ref())),
    }
}

fn attributes(forms: &Forms<'_>, names: &Names) -> Result<Vec<String>, Failure> {
    let of = |form: &Option<(&Path, Metadata)>| -> Result<Option<[String; 4]>, Failure> {
        let Some((path, found)) = form else { return Ok(None) };
        let (is_link, mode) = (found.is_symlink(), found.mode() & 0o7777);
        let mode = if is_link { String::new() } else { format!("{mode:04o}") };
        let target = if is_link { target(path)? } else { String::new() };
        Ok(Some([what(found).to_owned(), mode, names.owner(found), target]))
    };
    let (old, new) = (of(&forms.old)?, of(&forms.new)?);
    let mut details = Vec::new();
    for (at, label) in ["type", "mode", "owner", "target"].into_iter().enumerate() {
        match (old.as_ref().map(|old| &old[at]), new.as_ref().map(|new| &new[at])) {
            (Some(old), Some(new)) if old == new => {}
            (Some(old), Some(new)) if old.is_empty() => details.push(format!("{label} {new}")),
            (Some(old), Some(new)) if !new.is_empty() => details.push(format!("{label} {old} -> {new}")),
            (None, Some(new)) if at > 0 && !new.is_empty() => details.push(format!("{label} {new}")),
            (Some(old), None) if label == "target" && !old.is_empty() => {
                details.push(format!("{label} {old}"))
            }
            _ => {}
        }
    }
    if let (Some((old, _)), Some((new, _))) = (&forms.old, &forms.new) {
        let differ = |(_, name): &&(&str, &std::ffi::CStr)| attribute(old, name) != attribute(new, name);
        details.extend(ATTRIBUTES.iter().filter(differ).map(|(label, _)| format!("{label} changed")));
    }
    Ok(details)
}

impl Names {
    fn owner(&self, found: &Metadata) -> String {
        let name = |names: &BTreeMap<u32, String>, number: u32| {
            names.get(&number).cloned().unwrap_or_else(|| number.to_string())
        };
        format!("{}:{}", name(&self.users, found.uid()), name(&self.groups, found.gid()))
    }
}

/// The diff, or what is said in its place.
fn text(forms: &Forms<'_>, show: Show, secrets: &[&[u8]]) -> Result<Result<String, String>, Failure> {
    let both = || [&forms.old, &forms.new].into_iter().flatten().filter(|(_, found)| found.is_file());
    if show == Show::Nothing || both().any(|(_, found)| found.mode() & 0o004 == 0) {
        return Ok(Err("content <secret changed>".to_owned()));
    }
    let sizes = || {
        let size = |form: &Option<(&Path, Metadata)>| {
            form.as_ref().filter(|(_, found)| found.is_file()).map(|(_, found)| found.len())
        };
        match (size(&forms.old), size(&forms.new)) {
            (Some(old), Some(new)) => format!("content {old} -> {new} bytes"),
            (_, new) => format!("content {} bytes", new.unwrap_or(0)),
        }
    };
    if show == Show::Size || both().any(|(_, found)| found.len() > LARGEST) {
        return Ok(Err(sizes()));
    }
    let mut texts = Vec::new();
    for form in [&forms.old, &forms.new] {
        let Some((path, _)) = form.as_ref().filter(|(_, found)| found.is_file()) else {
            texts.push(String::new());
            continue;
        };
        let bytes = std::fs::read(path).map_err(|error| Failure::io("read", path.display(), error))?;
        if secrets.iter().any(|secret| holds(&bytes, secret)) {
            return Ok(Err("content <secret changed>".to_owned()));
        }
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => texts.push(text),
            Ok(_) | Err(_) => return Ok(Err(sizes())),
        }
    }
    Ok(Ok(safe(&unified(&texts[0], &texts[1]))))
}

fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret)
}

/// Without anything that steers a terminal; a carriage return is part of a difference and is shown.
fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => out.push(character),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.extend(character.escape_unicode()),
            control if control.is_control() => out.extend(control.escape_default()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Distance, Names, Show, distance, tell};
    use crate::rehearse::walk::Touched;
    use model::RehearsedFile;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    #[expect(clippy::disallowed_methods, reason = "a test makes its own files")]
    fn put(dir: &Path, name: &str, (bytes, mode): (&[u8], u32)) -> Option<std::path::PathBuf> {
        let path = dir.join(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        Some(path)
    }

    fn told(old: (&[u8], u32), new: (&[u8], u32), show: Show) -> (Distance, RehearsedFile) {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (put(dir.path(), "old", old), put(dir.path(), "new", new));
        let touched = Touched { path: "/etc/x".into(), old, new };
        let file = tell(&touched, show, &Names::default(), &[b"hush-hush"]).unwrap();
        (distance(&touched).unwrap(), file)
    }

    #[test]
    fn a_text_that_everybody_may_read_is_shown_as_a_diff() {
        let (distance, file) = told((b"a\nb\n", 0o644), (b"a\nc\r\n", 0o755), Show::Text);
        assert_eq!((distance, file.details), (Distance::Different, vec!["mode 0644 -> 0755".to_owned()]));
        assert_eq!(file.diff.unwrap(), "--- before\n+++ after\n@@ -1,2 +1,2 @@\n a\n-b\n+c\\r\n");
    }

    #[test]
    fn what_not_everybody_may_read_or_holds_a_secret_is_not_shown() {
        let file = |bytes: &'static str, mode: u32| (bytes.as_bytes(), mode);
        let (open, closed, holding) =
            (file("a\n", 0o644), file("b\n", 0o640), file("x hush-hush y\n", 0o644));
        for (old, new, show) in [
            (open, closed, Show::Text),
            (closed, open, Show::Text),
            (open, holding, Show::Text),
            (holding, open, Show::Text),
            (open, (&b"b\n"[..], 0o644), Show::Nothing),
        ] {
            let (_, file) = told(old, new, show);
            assert!(
                file.diff.is_none() && file.details.contains(&"content <secret changed>".to_owned()),
                "{file:?}"
            );
        }
    }

    #[test]
    fn what_is_no_text_is_told_by_its_size_and_the_same_is_no_difference() {
        let (_, file) = told((b"\xff\xfe", 0o644), (b"\xff\xfe\xfd", 0o644), Show::Text);
        assert_eq!((file.details, file.diff), (vec!["content 2 -> 3 bytes".to_owned()], None));
        assert_eq!(told((b"", 0o600), (b"", 0o600), Show::Text).0, Distance::Same);
        let long = vec![b'x'; 200_000];
        let other = [&long[..199_999], b"y"].concat();
        assert_eq!(told((&long, 0o644), (&other, 0o644), Show::Text).0, Distance::Different);
    }
}
