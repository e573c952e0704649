//! What is to be rehearsed, and what passes between the processes of a rehearsal, as data: inwards a `Setting` and then what a controller says to
//! any host, outwards `Up`.
//! Secrets travel on the pipe only: they never stand in an argv, an environment or on a disk.

use model::{
    EventBody, Failure, HostPath, RehearsedAccount, RehearsedFile, RehearsedPackage, Report, UnitState,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use wire::{LONGEST, Message, Work};

/// What is to be rehearsed, apart from secrets and stored content.
#[derive(Clone, Debug, Default)]
pub(super) struct Job {
    pub(super) setting: Setting,
    pub(super) work: Work,
}

/// What the copy has to know of the machine. It goes ahead of the order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Setting {
    /// Where the machine's state is.
    pub(super) state: PathBuf,
    /// The units that run on the machine, for there is no service manager in a rehearsal.
    pub(super) running: BTreeMap<String, UnitState>,
}

impl Message for Setting {
    const LONGEST: u32 = LONGEST;
    const TOTAL: u64 = LONGEST as u64;
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

/// These are processes of our own, and their events are as many as there are.
impl Message for Up {
    const LONGEST: u32 = LONGEST;
    const TOTAL: u64 = u64::MAX;
}

/// What the process in the copy knows at the end.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Ran {
    pub(super) report: Report,
    pub(super) packages: Vec<RehearsedPackage>,
    pub(super) accounts: Vec<RehearsedAccount>,
    /// Such as `start nginx.service`, in order.
    pub(super) recorded: Vec<String>,
    /// Where something would have been mounted.
    pub(super) mounted: Vec<HostPath>,
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
