//! Where an inventory comes from, as it is written on the command line, and what is found there.

use super::found::{Found, Lasting};
use super::vagrant;
use crate::trouble::Trouble;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// An inventory that somebody else keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The machines of a Vagrantfile that run: of the one that `vagrant` finds from this directory, the site's where none was said.
    Vagrant(Option<PathBuf>),
    /// The hosts that a file names in the form of ssh_config(5).
    SshConfig(PathBuf),
}

impl Source {
    /// The hosts there are now. `site` is the directory of the site.
    ///
    /// # Errors
    /// `Trouble::Here`: it cannot be read or asked, or has no hosts.
    pub fn hosts(&self, site: &Path) -> Result<Found, Trouble> {
        match self {
            Self::Vagrant(directory) => {
                let directory = directory.as_deref().unwrap_or(site);
                Found::told_by_vagrant(&vagrant::ssh_config(directory)?)
            }
            Self::SshConfig(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    Trouble::Here(format!("the inventory {} cannot be read: {error}", path.display()))
                })?;
                Found::of(&text, Lasting::File(path))
            }
        }
    }
}

impl FromStr for Source {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':').map_or((text, None), |(kind, place)| (kind, Some(place))) {
            ("vagrant", None) => Ok(Self::Vagrant(None)),
            ("vagrant", Some(place)) if !place.is_empty() => Ok(Self::Vagrant(Some(place.into()))),
            ("ssh", Some(place)) if !place.is_empty() => Ok(Self::SshConfig(place.into())),
            _ => Err("write vagrant, vagrant:DIR or ssh:FILE"),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "files of a test's own")]
#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn a_source_is_a_word_and_a_place() {
        for (text, expected) in [
            ("vagrant", Some(Source::Vagrant(None))),
            ("vagrant:../boxes", Some(Source::Vagrant(Some("../boxes".into())))),
            ("ssh:a:b", Some(Source::SshConfig("a:b".into()))),
            ("vagrant:", None),
            ("ssh", None),
            ("hosts.toml", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_or_names_nobody_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        let source = Source::SshConfig(path.clone());
        let said = |source: &Source| source.hosts(directory.path()).unwrap_err().to_string();
        assert!(said(&source).ends_with("config cannot be read: No such file or directory (os error 2)"));
        std::fs::write(&path, "Host *\n  User ada\n").unwrap();
        assert!(said(&source).ends_with("config names no host: write `Host NAME` for each"));
        std::fs::write(&path, "Host *\n  User ada\nHost web db\n").unwrap();
        let found = source.hosts(directory.path()).unwrap();
        assert_eq!((found.names(), found.config()), (&["web".to_owned(), "db".to_owned()][..], &*path));
    }
}
