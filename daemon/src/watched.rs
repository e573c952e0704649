//! What is watched: files, units, values, mounts, and who writes; for whom, `interest` knows. It says whom something happened to, and decides
//! nothing.

use crate::interest::{Change, Hit, Interests};
use crate::report::What;
use crate::reporters::Reporters;
use crate::status::Status;
use crate::watch::below::below;
use crate::watch::files::{Files, Happened};
use crate::watch::mounts::Mounts;
use crate::watch::units::Manager;
use crate::watch::values::Values;
use crate::watch::wait::{Wait, Woken};
use crate::watch::writers::Writers;
use model::Failure;
use rustix::fd::BorrowedFd;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

/// What is not watched where the service manager cannot be listened to.
const UNITS: &str = "units";

/// All that is watched.
pub struct Watched {
    files: Files,
    manager: Manager,
    values: Values,
    mounts: Mounts,
    interests: Interests,
    /// Why what is mounted cannot be watched.
    mounts_away: Option<String>,
    /// Who writes to what is fought over.
    pub writers: Writers,
}

/// What has happened.
#[derive(Default)]
pub struct Heard {
    /// To whom.
    pub hits: Vec<Hit>,
    /// True where it was more than the kernel could tell.
    pub is_cut: bool,
}

impl Watched {
    /// Nothing yet.
    pub fn new() -> Self {
        let (manager, values, mounts, interests, mounts_away, writers) = Default::default();
        Self { files: Files::new(), manager, values, mounts, interests, mounts_away, writers }
    }

    /// Watches for these from now on, and for nobody else; tells what of it cannot be.
    pub fn mind(&mut self, interests: Interests, reporters: &mut Reporters<'_>, status: &mut Status) {
        let wanted: BTreeSet<&Path> = interests.directories().collect();
        self.files.keep(&wanted);
        self.files.watch(wanted.into_iter());
        self.interests = interests;
        status.units = self.interests.units().count();
        self.manager.mind(&self.interests);
        self.values.mind(self.interests.values());
        // What is mounted over a directory makes no sound there.
        let places = self.interests.mounts().chain(self.interests.directories());
        self.mounts_away = self.mounts.mind(places).err().map(|failure| failure.to_string());
        self.tell(reporters, status);
    }

    /// Tells what cannot be watched, where that is news: it is so from one moment to the next, and again.
    pub fn tell(&self, reporters: &mut Reporters<'_>, status: &mut Status) {
        let unwatched = self.unwatched();
        let news = unwatched.iter().filter(|(what, why)| status.unwatched.get(*what) != Some(*why));
        let news: Vec<(String, String)> = news.map(|(what, why)| (what.clone(), why.clone())).collect();
        (status.unwatched, status.directories) = (unwatched, self.files.count());
        news.into_iter().for_each(|(what, why)| reporters.tell(status, What::Unwatched { what, why }));
    }

    fn unwatched(&self) -> BTreeMap<String, String> {
        let below = self.interests.unwatched().map(|(dir, why)| (dir.display().to_string(), why.to_owned()));
        let files = self.files.unwatched.iter().map(|(dir, why)| (dir.display().to_string(), why.clone()));
        let units = self.manager.away().map(|why| (UNITS.to_owned(), why.to_owned()));
        let mounts = self.mounts_away.iter().map(|why| ("mounts".to_owned(), why.clone()));
        let writers =
            self.writers.unheard().map(|(dir, why)| (format!("who writes in {}", dir.display()), why));
        below.chain(files).chain(units).chain(mounts).chain(writers).collect()
    }

    /// Takes up what has happened since.
    ///
    /// # Errors
    /// It cannot be told.
    pub fn gather(&mut self) -> Result<Heard, Failure> {
        let mut heard = Heard::default();
        for happened in self.files.happened()? {
            match happened {
                Happened::Name(dir, name, change) => {
                    let concerned = self.interests.happened(&dir, &name, change);
                    if let Some(dir) = concerned.anew {
                        self.files.watch(self.interests.below(&dir));
                    }
                    let path = dir.join(&name);
                    // What comes to be in it before it is watched is found by looking again.
                    while change == Change::Name && self.interests.grow(&path, &below) {
                        self.files.watch(self.interests.below(&path));
                    }
                    heard.hits.extend(concerned.hits);
                }
                Happened::Gone(dir) => {
                    self.files.watch(self.interests.below(&dir));
                    heard.hits.extend(self.interests.all_below(&dir));
                }
                Happened::Everything => {
                    // Another directory may stand where one is watched.
                    self.files.watch(self.interests.directories());
                    heard.is_cut = true;
                }
            }
        }
        for unit in self.manager.happened(&self.interests) {
            heard.hits.extend(self.interests.of_unit(&unit));
        }
        for path in self.mounts.happened()? {
            // What was watched there may be hidden now.
            self.files.watch(self.interests.below(&path));
            heard.hits.extend(self.interests.all_below(&path));
            heard.hits.extend(self.interests.of_mount(&path));
        }
        for path in self.values.happened() {
            heard.hits.extend(self.interests.of_value(&path));
        }
        self.writers.hear();
        Ok(heard)
    }

    /// When the service manager is tried again.
    pub fn again(&self) -> Option<Instant> {
        self.manager.again()
    }

    /// When the values are read next.
    pub fn next_reading(&self) -> Option<Instant> {
        self.values.next()
    }

    /// Reads them, if it is time; true where one is not what it was.
    pub fn read_values(&mut self) -> bool {
        self.values.look()
    }

    /// Waits until something happens, a signal comes, it is `at` (seconds since 1970), or `until` has come.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn wait(&mut self, wait: &Wait, at: u64, until: Option<Instant>) -> Result<Woken, Failure> {
        let inputs = self.files.fd().into_iter().chain(self.manager.fd()).chain(self.writers.fd());
        let inputs: Vec<BorrowedFd<'_>> = inputs.collect();
        let woken = wait.wait((&inputs, self.mounts.fd()), at, until)?;
        if woken == Woken::Mounts {
            self.mounts.stir();
        }
        Ok(woken)
    }
}
