//! What is said for all boxes of a call.

use super::sort::Sort;
use crate::library::Files;
use std::path::{Path, PathBuf};

/// How boxes are dealt with.
#[cfg_attr(
    not(all(target_os = "linux", not(feature = "elsewhere"))),
    expect(dead_code, reason = "there are none")
)]
pub struct Dealing<'a> {
    /// The files of the site, with its secrets.
    pub files: &'a Files,
    /// The directory of the site.
    pub site: &'a Path,
    /// What makes the boxes, where a test does not say.
    pub sort: Sort,
    /// A system to lay boxes over, in place of one that is made.
    pub base: Option<PathBuf>,
    /// Read in place of `~/.ssh/config`.
    pub ssh_config: Option<PathBuf>,
    /// Whether they are left.
    pub is_kept: bool,
    /// At most so many at once.
    pub parallel: usize,
}
