//! Why a journal takes no record, or is not taken up again.

use super::frame::Damage;
use crate::os::error::OsError;
use model::Failure;
use std::path::PathBuf;

/// Why a record could not be appended, or a journal not be taken up again.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system's answer. The record may or may not be there, and the journal takes no more.
    #[error(transparent)]
    Os(#[from] OsError),
    /// An earlier append failed in a way that leaves open what is on the disk.
    #[error("the journal {} takes no more records since a write to it failed", path.display())]
    Poisoned {
        /// The journal.
        path: PathBuf,
    },
    /// A newer version wrote it; this one may read it but not add to it.
    #[error("the journal {} was written by a newer version: {damage}", path.display())]
    Newer {
        /// The journal.
        path: PathBuf,
        /// Where it stops being understood.
        damage: Damage,
    },
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Os(error) => error.into(),
            JournalError::Poisoned { .. } => {
                Self::refused(error.to_string(), "look at the disk, then run again")
            }
            JournalError::Newer { .. } => Self::refused(error.to_string(), "use the newer version"),
        }
    }
}
