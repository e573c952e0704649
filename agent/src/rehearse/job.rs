//! What is to be rehearsed, and everything that passes between the processes of a rehearsal, as data.
//! Secrets travel on the pipe only: they never stand in an argv, an environment or on a disk.

use model::{
    Catalog, Digest, EventBody, Failure, RehearsedAccount, RehearsedFile, RehearsedPackage, Report, UnitState,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What is to be rehearsed, apart from secrets and stored content.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) catalog: Catalog,
    /// Which source of catalogs this is.
    pub(super) scope: String,
    /// Only resources with one of these tags; all where it is empty.
    pub(super) only: BTreeSet<String>,
    /// Not resources with one of these tags.
    pub(super) skip: BTreeSet<String>,
    /// What was asked for.
    pub(super) command: String,
    /// Where the machine's state is.
    pub(super) state: PathBuf,
    /// The units that run on the machine, for there is no service manager in a rehearsal.
    pub(super) running: BTreeMap<String, UnitState>,
}

/// From the front process inwards. Between `Job` and `Go` come the secrets, after it the contents, at last `End`.
#[derive(Serialize, Deserialize)]
pub(super) enum Down {
    Job(Box<Job>),
    /// The value follows as bytes.
    Secret {
        name: String,
    },
    Go,
    /// The content follows as frames of bytes, so many in all.
    Content {
        digest: Digest,
        size: u64,
    },
    End,
}

/// From the inside to the front process.
#[derive(Serialize, Deserialize)]
pub(super) enum Up {
    Event(EventBody),
    /// The engine is done.
    Ran(Box<Ran>),
    /// The changes have been read from the overlay.
    Found(Box<Found>),
    /// It could not be done.
    Fault(Failure),
}

/// What the process in the copy knows at the end.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Ran {
    pub(super) report: Report,
    pub(super) packages: Vec<RehearsedPackage>,
    pub(super) accounts: Vec<RehearsedAccount>,
    /// Such as `start nginx.service`, in order.
    pub(super) recorded: Vec<String>,
    pub(super) unsettled: Vec<String>,
}

/// What the layers of the overlay show.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) files: Vec<RehearsedFile>,
    pub(super) folded: BTreeMap<String, u64>,
    /// Files by package.
    pub(super) owned: BTreeMap<String, u64>,
    pub(super) notes: Vec<String>,
}
