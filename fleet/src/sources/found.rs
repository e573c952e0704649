//! The hosts of a source, and the file that says how they are reached.

use super::vagrant::blocks;
use crate::config::aliases;
use crate::trouble::Trouble;
use std::io::Write as _;
use std::path::Path;
use tempfile::NamedTempFile;

/// What a source has. The file goes with this value where it was made for it.
#[derive(Debug)]
pub struct Found {
    names: Vec<String>,
    config: Config,
}

#[derive(Debug)]
enum Config {
    Theirs(std::path::PathBuf),
    Ours(NamedTempFile),
}

/// Where the text is that was found.
pub(super) enum Lasting<'a> {
    /// In this file.
    File(&'a Path),
    /// Nowhere: it is kept for the call.
    Call,
}

impl Found {
    /// The hosts that `text` names.
    ///
    /// # Errors
    /// `Trouble::Here`: it names none, or cannot be kept.
    pub(super) fn of(text: &str, lasting: Lasting<'_>) -> Result<Self, Trouble> {
        let names = aliases(text);
        let config = match lasting {
            Lasting::File(path) if names.is_empty() => {
                let path = path.display();
                return Err(Trouble::Here(format!("{path} names no host: write `Host NAME` for each")));
            }
            Lasting::File(path) => Config::Theirs(path.to_owned()),
            Lasting::Call => Config::Ours(kept(text).map_err(|error| {
                Trouble::Here(format!("there is no place for how the hosts are reached: {error}"))
            })?),
        };
        Ok(Self { names, config })
    }

    /// The machines that `vagrant ssh-config` speaks of in `text`.
    ///
    /// # Errors
    /// `Trouble::Here`: it cannot be kept.
    pub fn told_by_vagrant(text: &str) -> Result<Self, Trouble> {
        Self::of(&blocks(text), Lasting::Call)
    }

    /// The hosts, in the order of the source.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is to be read in place of `~/.ssh/config`.
    pub fn config(&self) -> &Path {
        match &self.config {
            Config::Theirs(path) => path,
            Config::Ours(file) => file.path(),
        }
    }
}

fn kept(text: &str) -> std::io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("keel-ssh-").tempfile()?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}
