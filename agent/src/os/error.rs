//! What can go wrong at the operating system's file interface, told apart as far as a caller may want to act on it.
//! No secret and no file content may enter an error; paths and errno may.

use std::io;
use std::path::{Path, PathBuf};

use model::{Failure, HostPath};

use super::meta::FileKind;

/// A failed operation on a host's files.
#[derive(Debug, thiserror::Error)]
pub enum OsError {
    /// A system call failed.
    #[error("cannot {doing} {}: {source}", show(path))]
    Io {
        /// What was being done, as a verb phrase: "open", "sync the directory of".
        doing: &'static str,
        /// The path it was done to.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The path is not absolute, or has `.` or `..` in it, or names nothing.
    #[error("{} is not an absolute path without `..`", show(path))]
    BadPath {
        /// The path as given.
        path: PathBuf,
    },
    /// A symbolic link on the way could have been planted by somebody without the right to make this change.
    #[error(
        "{}: will not follow the symbolic link {}, because someone other than root could have put it there",
        show(path),
        show(link)
    )]
    UntrustedLink {
        /// The path that was being opened.
        path: PathBuf,
        /// The link.
        link: PathBuf,
    },
    /// There is something else than a file or directory of the wanted type.
    #[error("{} is a {found}, not a {wanted}", show(path))]
    WrongKind {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: FileKind,
        /// What was asked for.
        wanted: FileKind,
    },
    /// The file is longer than the reader was ready to take.
    #[error("{} has more than {limit} bytes", show(path))]
    TooLarge {
        /// The path.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// What stands at the path is not what the plan was made for.
    #[error("{} was changed by someone else in the meantime: {detail}", show(path))]
    Changed {
        /// The path.
        path: PathBuf,
        /// What is different.
        detail: &'static str,
    },
    /// The file cannot be replaced by renaming, as when it is itself a mount point; it can only be rewritten in place.
    #[error("{} is a mount point and cannot be replaced atomically", show(path))]
    Busy {
        /// The path.
        path: PathBuf,
    },
    /// The file has several names, and a user can write to the directory: the other name may be a file of the system (CVE-2017-18078).
    #[error(
        "{} has {links} names and lies in a directory that others can write to: will not change it",
        show(path)
    )]
    HardLinked {
        /// The path.
        path: PathBuf,
        /// The number of names.
        links: u64,
    },
    /// The validator said no to the new content.
    #[error("the new content of {} was rejected: {reason}", show(path))]
    Rejected {
        /// The path that was to be written.
        path: PathBuf,
        /// The validator's answer.
        reason: Box<Failure>,
    },
    /// After another error the temporary file could not be removed.
    #[error("{cause}; and the temporary file {} could not be removed: {source}", show(temp))]
    Leftover {
        /// The file left behind.
        temp: PathBuf,
        /// Why it could not be removed.
        source: io::Error,
        /// The first error.
        cause: Box<OsError>,
    },
}

/// The result of an operation on a host's files.
pub type Result<T> = std::result::Result<T, OsError>;

impl OsError {
    /// The system's error number, where there is one.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Io { source, .. } => source.raw_os_error(),
            Self::Leftover { cause, .. } => cause.errno(),
            _ => None,
        }
    }
}

/// Adds what was being done, and to what, to a bare system error.
pub(crate) trait Doing<T> {
    /// `doing` is a verb phrase that reads well before a path.
    fn doing(self, doing: &'static str, path: &Path) -> Result<T>;
}

impl<T, E: Into<io::Error>> Doing<T> for std::result::Result<T, E> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| OsError::Io { doing, path: path.to_owned(), source: source.into() })
    }
}

impl From<OsError> for Failure {
    fn from(error: OsError) -> Self {
        let why = error.to_string();
        match error {
            OsError::Io { doing, path, source } => Self::io(doing, show(&path), source),
            OsError::Rejected { reason, .. } => *reason,
            OsError::BadPath { .. } => Self::refused(why, "write an absolute path"),
            OsError::UntrustedLink { .. } => Self::refused(why, "write the path that the link leads to"),
            OsError::WrongKind { wanted, .. } => {
                Self::refused(why, format!("remove it, or make it a {wanted}"))
            }
            OsError::TooLarge { .. } => Self::refused(why, "make it shorter"),
            OsError::Changed { .. } => Self::refused(why, "run again for a new plan"),
            OsError::Busy { .. } => Self::refused(why, "unmount it"),
            OsError::HardLinked { .. } => Self::refused(why, "remove its other names"),
            OsError::Leftover { .. } => Self::refused(why, "remove the temporary file"),
        }
    }
}

/// A path for people: control characters and bytes that are not UTF-8 are escaped.
pub(crate) fn show(path: &Path) -> String {
    HostPath::new(path).map_or_else(|_| format!("{path:?}"), |path| path.to_string())
}
