//! `Host`: the running system behind `System`. Reads are kept until an op changes them; `execute` alone changes the host.
//!
//! It decides nothing: formats and tools are in the files beside it.

use super::apt_locks::{self, PATIENCE, TRANSACTION};
use super::attendance::Attendance;
use super::cached::Cached;
use super::debs;
use super::dpkg::{self, Dpkg};
use super::mask::Mask;
use super::unit_files::{self, Ask};
use super::units::{self, Units};
use super::{account_files, file_ops, files};
use crate::system::{
    Accounts, Attempt, Candidates, Compared, Entry, Look, Package, Shared, System, Touched, Whole, Worked,
};
use model::{Command, Content, Failure, Gather, HostPath, Op, Secrets, Thing, UnitState};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::Blobs;

/// Candidates by name and release.
pub(super) type Offers = BTreeMap<(String, Option<String>), Arc<Candidates>>;

/// Who runs the units.
pub(super) enum Manager {
    /// systemd.
    Running,
    /// Nobody, as in a rehearsal: what would be done is recorded, and believed.
    Recorded(Mutex<Recording>),
}

/// What a host without a service manager was told to do.
#[derive(Default)]
pub(super) struct Recording {
    /// A line each.
    pub(super) lines: Vec<String>,
    /// `ActiveState` of the units acted on.
    pub(super) active: BTreeMap<String, String>,
    /// Values of the kernel that were set, by their files.
    pub(super) values: BTreeMap<HostPath, String>,
    /// Where something was mounted.
    pub(super) mounted: BTreeSet<HostPath>,
}

/// What will be asked for.
#[derive(Default)]
struct Expected {
    units: BTreeSet<String>,
    packages: BTreeSet<String>,
}

/// The running system.
pub struct Host<'a> {
    pub(super) attendance: Attendance<'a>,
    pub(super) blobs: Arc<dyn Blobs>,
    pub(super) manager: Manager,
    pub(super) mask: Mutex<Mask>,
    expected: Mutex<Expected>,
    accounts: Cached<Accounts>,
    dpkg: Cached<Dpkg>,
    units: Mutex<Units>,
    offers: Mutex<Offers>,
    /// True once this host has fetched its package lists.
    pub(super) refreshed: Mutex<bool>,
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host<'static> {
    /// The running system, which nobody attends; the bytes of stored content come from `blobs`.
    pub fn new(blobs: Arc<dyn Blobs>) -> Self {
        Self::with(blobs, Manager::Running, Attendance::none())
    }

    /// The system of a throwaway root in which this process already is, without a service manager. Units are enabled and
    /// masked on the disk; starting, stopping and reloading is only recorded. `running` says which units ran outside.
    pub fn offline(blobs: Arc<dyn Blobs>, running: BTreeMap<String, UnitState>) -> Self {
        let active = running.into_iter().map(|(name, unit)| (name, unit.active)).gather();
        let recording = Mutex::new(Recording { active, ..Recording::default() });
        Self::with(blobs, Manager::Recorded(recording), Attendance::none())
    }
}

impl<'a> Host<'a> {
    /// The running system; `attendance` hears what it has to wait for.
    pub fn attended(blobs: Arc<dyn Blobs>, attendance: Attendance<'a>) -> Self {
        Self::with(blobs, Manager::Running, attendance)
    }

    fn with(blobs: Arc<dyn Blobs>, manager: Manager, attendance: Attendance<'a>) -> Self {
        Self {
            attendance,
            blobs,
            manager,
            mask: Mutex::default(),
            expected: Mutex::default(),
            accounts: Cached::default(),
            dpkg: Cached::default(),
            units: Mutex::default(),
            offers: Mutex::default(),
            refreshed: Mutex::new(false),
        }
    }

    /// Keeps these secrets out of whatever a program prints.
    pub fn mask(&self, secrets: &Secrets) {
        let mut mask = locked(&self.mask);
        *mask = mask.with(secrets.values().map(|secret| secret.expose().as_slice()));
    }

    /// What was not done because it is no host of its own, a line each, such as `start nginx.service`.
    pub fn recorded(&self) -> Vec<String> {
        match &self.manager {
            Manager::Running => Vec::new(),
            Manager::Recorded(recording) => locked(recording).lines.clone(),
        }
    }

    /// Where something would have been mounted, were it a host of its own.
    pub fn recorded_mounts(&self) -> Vec<HostPath> {
        match &self.manager {
            Manager::Running => Vec::new(),
            Manager::Recorded(recording) => locked(recording).mounted.iter().cloned().collect(),
        }
    }

    pub(super) fn read_accounts(&self) -> Result<Arc<Accounts>, Failure> {
        self.accounts.get(account_files::read)
    }

    pub(super) fn read_dpkg(&self) -> Result<Arc<Dpkg>, Failure> {
        let read = || dpkg::read(Path::new(dpkg::ROOT));
        self.dpkg.get(|| {
            let dpkg = read()?;
            if dpkg.unfinished.is_empty() {
                return Ok(dpkg);
            }
            // It was interrupted, or somebody is in the middle of it.
            apt_locks::wait(&TRANSACTION, PATIENCE, &self.attendance)?;
            read()
        })
    }

    /// Has everything read again that `op` may have changed.
    pub(super) fn forget(&self, op: &Op) {
        if let Op::Together(together) = op {
            return together.changes.iter().for_each(|change| self.forget(change));
        }
        let path = |path: &HostPath| {
            let text = path.to_string();
            let holds = |part: &str| text.contains(part);
            let accounts = ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc"].contains(&text.as_str());
            (accounts, holds("/systemd") || holds("/etc/init.d"), holds("/apt"))
        };
        let (accounts, units, offers) = match op {
            Op::WriteFile { path: at, .. }
            | Op::SetAttributes { path: at, .. }
            | Op::SetXattrs { path: at, .. }
            | Op::MakeDirectory { path: at, .. }
            | Op::MakeSymlink { path: at, .. }
            | Op::Remove { path: at } => path(at),
            Op::Packages(_) | Op::HoldPackage { .. } | Op::Run(_) => (true, true, true),
            Op::Unit { .. } | Op::ReloadManager => (false, true, false),
            // Units come and go with mounts.
            Op::Mount { .. } | Op::Remount { .. } | Op::Unmount { .. } => (false, true, false),
            Op::Check(_) | Op::SetSysctl { .. } => (false, false, false),
            _ => (true, false, false),
        };
        if accounts {
            self.accounts.forget();
        }
        if units {
            locked(&self.units).clear();
        }
        if offers {
            self.dpkg.forget();
            locked(&self.offers).clear();
        }
    }

    fn query_units(&self, name: &str) -> Result<Option<UnitState>, Failure> {
        let mut known = locked(&self.units);
        if let Some(unit) = known.get(name) {
            return Ok(unit.clone());
        }
        match &self.manager {
            Manager::Running => {
                let mut names = locked(&self.expected).units.clone();
                names.insert(name.to_owned());
                let names: Vec<String> = names.into_iter().filter(|it| !known.contains_key(it)).collect();
                known.extend(units::show(&names)?);
            }
            Manager::Recorded(recording) => {
                let mut unit = unit_files::state(name, Ask::Files)?;
                if let (Some(unit), Some(active)) = (&mut unit, locked(recording).active.get(name)) {
                    unit.active.clone_from(active);
                }
                known.insert(name.to_owned(), unit);
            }
        }
        Ok(known.get(name).cloned().flatten())
    }

    fn query_offers(&self, name: &str, release: Option<&str>) -> Result<Arc<Candidates>, Failure> {
        let key = (name.to_owned(), release.map(str::to_owned));
        let mut known = locked(&self.offers);
        if let Some(candidates) = known.get(&key) {
            return Ok(candidates.clone());
        }
        // One process for all that will be asked for: apt takes its time to open its cache, whatever it is asked.
        let mut names = locked(&self.expected).packages.clone();
        names.insert(name.to_owned());
        for (name, candidates) in super::apt::candidates(&names, release)? {
            known.insert((name, key.1.clone()), Arc::new(candidates));
        }
        let found = known.get(&key).cloned();
        found.ok_or_else(|| Failure::unknown(format!("package {name}"), "apt-cache said nothing of it"))
    }
}

#[deny(clippy::missing_trait_methods, reason = "there is nobody else who could answer")]
impl System for Host<'_> {
    fn below(&self) -> &dyn System {
        unreachable!("it answers all by itself")
    }

    fn prepare(&self, things: &[Thing]) -> Result<(), Failure> {
        let mut expected = locked(&self.expected);
        for thing in things {
            match thing {
                Thing::Unit(name) => expected.units.insert(name.clone()),
                Thing::Package(name) => expected.packages.insert(name.clone()),
                Thing::Path(_) | Thing::UnitFile(_) | Thing::User(_) | Thing::Group(_) | Thing::Mount(_) => {
                    false
                }
            };
        }
        Ok(())
    }

    fn look(&self, path: &HostPath, look: Look) -> Result<Option<Entry>, Failure> {
        files::look(path, look)
    }

    fn compare(&self, path: &HostPath, wanted: &Content) -> Result<Compared, Failure> {
        match wanted {
            Content::Held(held) => files::compare(path, held.bytes()),
            Content::Hidden(secret) => files::compare(path, secret.expose()),
            Content::Stored(digest, _) => {
                let entry = files::look(path, Look::Digest)?;
                let is_same = entry.as_ref().and_then(Entry::digest) == Some(*digest);
                Ok(Compared { entry, is_same })
            }
        }
    }

    fn read(&self, path: &HostPath, limit: u64) -> Result<Vec<u8>, Failure> {
        self.recorded_value(path).map_or_else(|| files::read(path, limit), Ok)
    }

    fn whole(&self, path: &HostPath, limit: u64) -> Result<Option<Whole>, Failure> {
        let Some(mut whole) = files::whole(path, limit)? else { return Ok(None) };
        if let (Some((_, bytes)), Some(value)) = (&mut whole.held, self.recorded_value(path)) {
            *bytes = value;
        }
        Ok(Some(whole))
    }

    fn list(&self, path: &HostPath) -> Result<Vec<OsString>, Failure> {
        files::list(path)
    }

    fn xattrs(&self, path: &HostPath) -> Result<BTreeMap<String, String>, Failure> {
        files::xattrs(path)
    }

    fn accounts(&self) -> Result<Arc<Accounts>, Failure> {
        self.read_accounts()
    }

    fn package(&self, name: &str) -> Result<Option<Package>, Failure> {
        Ok(self.read_dpkg()?.package(name).cloned())
    }

    fn providers(&self, name: &str) -> Result<Vec<String>, Failure> {
        Ok(self.read_dpkg()?.providers(name))
    }

    fn candidates(&self, name: &str, release: Option<&str>) -> Result<Arc<Candidates>, Failure> {
        self.query_offers(name, release)
    }

    fn all_packages(&self) -> Result<Arc<BTreeMap<String, Package>>, Failure> {
        Ok(self.read_dpkg()?.packages.clone())
    }

    fn deb(&self, name: &str, version: &str) -> Result<Option<HostPath>, Failure> {
        debs::find(Path::new(debs::ARCHIVES), name, (version, self.read_dpkg()?.native()))
    }

    fn unfinished(&self) -> Result<Vec<String>, Failure> {
        Ok(self.read_dpkg()?.unfinished.clone())
    }

    fn unit(&self, name: &str) -> Result<Option<UnitState>, Failure> {
        self.query_units(name)
    }

    fn guard(&self, command: &Command) -> Result<i32, Failure> {
        self.exit_code(command)
    }

    fn clean(&self, op: &Op, tag: &str) -> Result<(), Failure> {
        if let Op::Packages(transaction) = op {
            return self.hold_again(&transaction.held, &Attempt { tag: tag.to_owned(), timeout: None });
        }
        file_ops::clean(op, tag)
    }

    /// It may change from one call to the next.
    fn once(&self, _of: Shared, work: &dyn Fn() -> Result<Worked, Failure>) -> Result<Worked, Failure> {
        work()
    }

    fn execute(&self, op: &Op, attempt: &Attempt) -> Result<Touched, Failure> {
        let done = self.change(op, attempt);
        self.forget(op);
        done
    }

    fn execute_all(&self, all: &[(&Op, Attempt)]) -> Vec<Result<Touched, Failure>> {
        let done = self.write_files(all);
        all.iter().for_each(|(op, _)| self.forget(op));
        done
    }
}
