//! Where the desired state comes from. The daemon knows catalogs, not the language: whoever starts it says how to get one.

use crate::settings::Settings;
use crate::watch::wait::Bell;
use model::{Failure, Secrets};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use wire::{Blobs, Work};

/// The site as it is now, compiled for this host.
pub struct Site {
    /// The catalog, its scope, and how its runs are carried out.
    pub work: Work,
    /// Its secrets, in memory alone.
    pub secrets: Secrets,
    /// Its contents.
    pub blobs: Arc<dyn Blobs>,
    /// What it was made from: files, and directories in which any change counts. A change of the site itself is noticed by them.
    pub files: Vec<PathBuf>,
    /// What is not wrong with it, but not good either; a line each.
    pub warnings: Vec<String>,
    /// The bundle it is in, where it comes in bundles.
    pub bundle: Option<Bundle>,
    /// Why no newer bundle was taken, where one was refused, or none could be had.
    pub refused: Option<String>,
}

/// A bundle in force on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The site.
    pub site: String,
    /// Its counter.
    pub counter: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Who signed it.
    pub signer: String,
    /// The key it was signed with.
    pub key: String,
    /// When it was put in force, in seconds since 1970.
    pub since: i64,
    /// Where it came from.
    pub from: String,
}

/// Why no newer bundle was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// In words.
    pub why: String,
    /// Since when, RFC 3339 in UTC.
    pub since: String,
}

/// Gives the site.
pub trait Source {
    /// In a few words, for people: `site /srv/site, roles web`.
    fn name(&self) -> String;

    /// Reads and compiles it anew, with this host's facts.
    ///
    /// # Errors
    /// Why there is none, for people, and what is to be watched meanwhile so that it is tried again: the last good one stays in force.
    fn site(&self) -> Result<Site, NoSite>;

    /// From now on what takes its time may come later: the bell is rung for it, and [`Source::has_news`] is true.
    fn heed(&self, _bell: Bell) {}

    /// Asks for what is new, where that takes its time. True where the answer comes later: what is in force stays so, and nobody waits.
    fn asks(&self) -> bool {
        false
    }

    /// True where an answer has come: the site is to be read.
    fn has_news(&self) -> bool {
        false
    }

    /// True where another program is in the place of the one that runs, and can be run in its stead.
    fn is_outdated(&self) -> bool;

    /// Gives it by these settings from now on; `text` is theirs.
    ///
    /// # Errors
    /// They cannot be kept, and those before stay in force.
    fn renew(&self, _settings: &Settings, _text: &str) -> Result<(), Failure> {
        Ok(())
    }
}

/// Why there is no site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSite {
    /// For people; several lines where the site does not compile.
    pub why: String,
    /// As in [`Site::files`].
    pub files: Vec<PathBuf>,
}
