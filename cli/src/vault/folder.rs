//! `secrets/` of a site: a file for each secret, and who can read them. A file is replaced as a whole or not at all. What is written here
//! is sealed already.

use super::armour;
use super::recipients::{self, Recipient};
use crate::site::Refusal;
use anyhow::{Context, anyhow};
use dsl::{SECRET_ENDING, is_secret_name};
use model::Secret;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The directory; it need not be there.
pub struct Folder(PathBuf);

/// What is expected where a secret is put.
#[derive(Clone, Copy)]
pub enum Instead<'a> {
    /// No file.
    Nothing,
    /// This file, still.
    Of(&'a [u8]),
}

impl Folder {
    /// That of a site.
    pub fn of(site: &Path) -> Self {
        Self(if site == Path::new(".") { PathBuf::from("secrets") } else { site.join("secrets") })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The names of all secrets, sorted.
    pub fn names(&self) -> anyhow::Result<Vec<String>> {
        let cannot = || format!("cannot list {}", self.0.display());
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.with_context(cannot)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.with_context(cannot)?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(SECRET_ENDING));
            names.extend(name.filter(|name| is_secret_name(name)).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// The file of a secret as it is.
    pub fn sealed(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        let path = self.file(name)?;
        match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let near = dsl::did_you_mean(name, self.names()?.iter().map(String::as_str));
                let near = near.unwrap_or_else(|| format!("`keel secret create {name}` makes it"));
                Err(anyhow!("there is no secret `{name}` in {}: {near}", self.0.display()).into())
            }
            read => Ok(read.with_context(|| format!("cannot read {}", path.display()))?),
        }
    }

    /// No secret of that name is there yet.
    pub fn is_free(&self, name: &str) -> Result<(), Refusal> {
        let path = self.file(name)?;
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(anyhow!("cannot look at {}: {error}", path.display()).into()),
            Ok(_) => Err(taken(&path, name).into()),
        }
    }

    /// Who can read what is sealed from now on.
    pub fn recipients(&self) -> Result<Vec<Recipient>, Refusal> {
        let path = self.0.join(recipients::FILE);
        let name = path.display().to_string();
        let help = format!("`cat ~/.ssh/id_ed25519.pub >> {name}` lets you read them");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let make = format!(
                    "there is no {name}, which says who can read secrets: `mkdir -p {}` and {help}",
                    self.0.display()
                );
                return Err(anyhow!(make).into());
            }
            text => text.with_context(|| format!("cannot read {name}"))?,
        };
        match recipients::parse(&name, &text).map_err(Refusal::Diagnostics)? {
            none if none.is_empty() => {
                Err(anyhow!("nobody is in {name}, so nobody could read a secret: {help}").into())
            }
            some => Ok(some),
        }
    }

    /// Seals a value to all recipients and puts it in its place.
    pub fn put(&self, name: &str, value: &Secret<Vec<u8>>, instead: Instead<'_>) -> Result<(), Refusal> {
        let recipients = self.recipients()?;
        let keys: Vec<&dyn age::Recipient> = recipients.iter().map(|one| &*one.key).collect();
        let sealed = armour::seal(value, &keys).map_err(|why| anyhow!("cannot seal {name}: {why}"))?;
        let path = self.file(name)?;
        Ok(self.replace(&path, (&sealed, name), instead)?)
    }

    /// Whole or not at all: written beside it, made durable, renamed, and the renaming made durable.
    fn replace(&self, path: &Path, (bytes, name): (&[u8], &str), instead: Instead<'_>) -> anyhow::Result<()> {
        let cannot = || format!("cannot write {}", path.display());
        let mode = match fs::metadata(path) {
            Ok(meta) => meta.permissions().mode() & 0o666,
            Err(error) if error.kind() == ErrorKind::NotFound => 0o644,
            Err(error) => return Err(error).with_context(cannot),
        };
        let mut temporary = tempfile::Builder::new();
        let permissions = fs::Permissions::from_mode(mode);
        let mut file =
            temporary.prefix(".keel-").permissions(permissions).tempfile_in(&self.0).with_context(cannot)?;
        file.write_all(bytes).and_then(|()| file.as_file().sync_all()).with_context(cannot)?;
        match instead {
            Instead::Nothing => {
                file.persist_noclobber(path).map_err(|error| match error.error.kind() {
                    ErrorKind::AlreadyExists => taken(path, name),
                    _ => anyhow::Error::from(error.error).context(cannot()),
                })?;
            }
            Instead::Of(old) if fs::read(path).with_context(cannot)? != old => {
                anyhow::bail!("{} was changed meanwhile, and is left as it is", path.display());
            }
            Instead::Of(_) => {
                file.persist(path).map_err(|error| error.error).with_context(cannot)?;
            }
        }
        fs::File::open(&self.0).and_then(|dir| dir.sync_all()).with_context(cannot)
    }

    fn file(&self, name: &str) -> anyhow::Result<PathBuf> {
        if !is_secret_name(name) {
            anyhow::bail!("no secret can have that name: letters, digits, `-` and `_` make one");
        }
        Ok(self.0.join(format!("{name}{SECRET_ENDING}")))
    }
}

fn taken(path: &Path, name: &str) -> anyhow::Error {
    anyhow!(
        "{} is there already: `keel secret edit {name}` or `keel secret rotate --new {name}` change it",
        path.display()
    )
}
