//! The agent reconciles: reads the site, watches what it claims, has some of it or all of it looked at and put right, and enters what came of
//! that. When, is `control_loop`'s business.

use crate::bookkeeping::{Books, Now, time};
use crate::control_loop::{ControlLoop, DEAF, Host};
use crate::interest::{Interests, Who, with_dependants};
use crate::look::{End, Leave, Look, Looked};
use crate::policy::left;
use crate::report::{Cause, What};
use crate::source::{Refused, Site};
use crate::status::Last;
use agent::engine::{Graph, Part};
use agent::work::keeping::PAUSE;
use model::{Digest, OnDrift, PlannedNode};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So long is waited for another run that has the host, before it is tried again.
const BUSY: Duration = Duration::from_millis(500);

/// So long after there was no catalog at all, it is tried again.
const SOON: Duration = Duration::from_secs(20);

/// Directories below one that are watched, at most.
const MOST_BELOW: usize = 1000;

/// What is not watched where the service manager cannot be listened to.
const UNITS: &str = "units";

impl ControlLoop<'_> {
    /// Reads the site anew; true where its catalog is another one than before.
    pub(crate) fn load(&mut self) -> bool {
        self.due.remove(&Who::Site);
        let (files, is_new) = match self.source.site() {
            Ok(site) => {
                let version = version(&site);
                let is_new = self.status.catalog.as_ref() != Some(&version);
                let (files, resources) = (site.files.clone(), site.work.catalog.nodes().len());
                let warnings = site.warnings.clone();
                self.mind_bundle(&site);
                self.site = Some(Arc::new(site));
                self.status.no_catalog = None;
                if is_new {
                    (self.status.catalog, self.status.resources) = (Some(version), resources);
                    self.tell(What::Catalog { resources, warnings });
                }
                (files, is_new)
            }
            Err(none) => {
                if self.status.no_catalog.as_ref() != Some(&none.why) {
                    self.status.no_catalog = Some(none.why.clone());
                    self.tell(What::NoCatalog { why: none.why });
                }
                if self.site.is_none() {
                    // There is nothing to keep yet: who has just booted may be without a network for a moment.
                    self.due.insert(Who::Site, Instant::now() + SOON);
                }
                (none.files, false)
            }
        };
        self.watch(&files);
        is_new
    }

    /// Tells which bundle is in force, and why none newer is, when that is news.
    fn mind_bundle(&mut self, site: &Site) {
        if site.bundle != self.status.bundle {
            self.status.bundle.clone_from(&site.bundle);
            site.bundle.iter().for_each(|bundle| self.tell(What::Bundle { bundle: bundle.clone() }));
        }
        let Some(why) = &site.refused else { return self.status.refused = None };
        if self.status.refused.as_ref().is_none_or(|refused| refused.why != *why) {
            self.status.refused = Some(Refused { why: why.clone(), since: (self.host.clock)() });
            let counter = site.bundle.as_ref().map(|bundle| bundle.counter);
            self.tell(What::Refused { why: why.clone(), counter });
        }
    }

    /// Watches what the catalog claims, and what it was made from.
    fn watch(&mut self, files: &[PathBuf]) {
        if !self.settings.watch {
            return;
        }
        let mut interests = Interests::default();
        if let Some(site) = &self.site {
            match Graph::load(&site.work.catalog, &site.secrets, agent::kinds::LIVE) {
                Ok(graph) => interests = Interests::of(&graph, &directories_below),
                Err(failure) => self.tell(What::Note { text: failure.to_string() }),
            }
        }
        interests.site(files, Path::is_dir);
        interests.path(&self.host.state.root().join(PAUSE), (Who::Orders, 0));
        self.host.settings.iter().for_each(|path| interests.path(path, (Who::Settings, 100)));
        let wanted: BTreeSet<&Path> = interests.directories().collect();
        self.files.keep(&wanted);
        self.files.watch(wanted.into_iter());
        self.interests = interests;
        self.status.directories = self.files.count();
        self.status.units = self.interests.units().count();
        self.manager.mind(&self.interests);
        self.values.mind(self.interests.values());
        self.mind_manager();
        let mut unwatched: BTreeMap<String, String> =
            self.files.unwatched.iter().map(|(dir, why)| (dir.display().to_string(), why.clone())).collect();
        unwatched.extend(self.status.unwatched.remove_entry(UNITS));
        if let Err(failure) = self.mounts.mind(self.interests.mounts()) {
            unwatched.insert("mounts".to_owned(), failure.to_string());
        }
        for (what, why) in &unwatched {
            if self.status.unwatched.get(what) != Some(why) {
                self.tell(What::Unwatched { what: what.clone(), why: why.clone() });
            }
        }
        self.status.unwatched = unwatched;
    }

    /// Tells where the service manager cannot be listened to, and where it can again.
    pub(crate) fn mind_manager(&mut self) {
        let why = self.manager.away().map(str::to_owned);
        if self.status.unwatched.get(UNITS) == why.as_ref() {
            return;
        }
        match why {
            Some(why) => {
                self.status.unwatched.insert(UNITS.to_owned(), why.clone());
                self.tell(What::Unwatched { what: UNITS.to_owned(), why });
            }
            None => drop(self.status.unwatched.remove(UNITS)),
        }
    }

    pub(crate) fn look_at_everything(&mut self, cause: Cause) {
        let Some(site) = self.site.clone() else { return };
        self.due.retain(|who, _| !matches!(who, Who::Node(_)));
        let catalog = &site.work.catalog;
        self.memory.keep(|id| catalog.position(id).is_some());
        self.status.held.retain(|id, _| catalog.position(id).is_some());
        self.status.failing.retain(|id, _| catalog.position(id).is_some());
        let all: Vec<usize> = (0..catalog.nodes().len()).collect();
        // Where the host is only observed, what left the catalog stays too.
        let part = match self.settings.mode {
            OnDrift::Correct => Part::All,
            OnDrift::Observe => Part::Only(catalog.nodes().iter().map(|node| node.id.clone()).collect()),
        };
        let looked = self.look(&site, part);
        if let End::Busy(_) = looked.end {
            self.everything = Some(cause);
        }
        self.enter((&site, &all), looked, cause);
    }

    pub(crate) fn look_at(&mut self, nodes: &BTreeSet<u32>) {
        let Some(site) = self.site.clone() else { return };
        let catalog = &site.work.catalog;
        let all: Vec<usize> = with_dependants(catalog, nodes).into_iter().map(|at| at as usize).collect();
        let ids = all.iter().filter_map(|at| catalog.nodes().get(*at)).map(|node| node.id.clone()).collect();
        let looked = self.look(&site, Part::Only(ids));
        let now = Instant::now();
        let is_nothing = looked.differing.is_empty() && looked.failed.is_empty();
        for who in nodes.iter().map(|at| Who::Node(*at)) {
            match looked.end {
                End::Busy(_) => drop(self.due.insert(who, now)),
                End::Whole if is_nothing => {
                    let (count, last) = self.noise.get(&who).copied().unwrap_or((0, now));
                    let count = if now.duration_since(last) < DEAF { count + 1 } else { 1 };
                    self.noise.insert(who, (count, now));
                }
                _ => drop(self.noise.remove(&who)),
            }
        }
        self.enter((&site, &all), looked, Cause::Event);
    }

    fn look(&self, site: &Site, part: Part) -> Looked {
        let Host { state, clock, .. } = &self.host;
        let now = self.now();
        let rule = |node: &PlannedNode| left(node, site, &self.memory, (&self.settings, now));
        let is_open = self.settings.windows.is_open(now);
        let leave: Leave<'_> = if is_open { Ok(&rule) } else { Err("it is outside the maintenance windows") };
        Look { site, state, clock: *clock, stop: &self.wait.stop }.at(part, leave)
    }

    fn enter(&mut self, (site, nodes): (&Site, &[usize]), looked: Looked, cause: Cause) {
        let trouble = match &looked.end {
            End::Whole => None,
            End::Busy(_) => {
                self.again = Some(Instant::now() + BUSY);
                return;
            }
            End::Locked(why) => Some(why.clone()),
            End::Failed(why) => Some(why.clone()),
        };
        let is_locked = matches!(looked.end, End::Locked(_));
        let (at, seconds) = ((self.host.clock)(), self.now());
        let now = Now { text: &at, seconds };
        self.status.looks += 1;
        self.status.opens =
            self.settings.windows.opens(seconds).filter(|_| !looked.left.is_empty()).map(time);
        let mut books = Books {
            memory: &mut self.memory,
            status: &mut self.status,
            settings: &self.settings,
            writers: &self.writers,
        };
        let told = books.enter(&site.work.catalog, nodes, &looked, now);
        let Looked { report, millis, notes, .. } = looked;
        let files = self.memory.breaker.busy().map(|id| PathBuf::from(id.name()));
        let files: BTreeSet<PathBuf> = files.filter(|path| path.is_absolute()).collect();
        self.writers.mark(&files);
        let is_news = !told.is_empty() || trouble.is_some() || cause != Cause::Event;
        told.into_iter().for_each(|what| self.tell(what));
        notes.into_iter().for_each(|text| self.tell(What::Note { text }));
        self.status.last = Some(Last { at, cause, report: report.clone(), millis, trouble, is_locked });
        self.status.next = Some(time(self.next));
        if is_news {
            self.tell(What::Looked { cause, report, millis });
        }
    }
}

/// A catalog by its bytes, which are the same for the same input.
fn version(site: &Site) -> String {
    let bytes = serde_json::to_vec(&site.work.catalog).unwrap_or_default();
    let mut version = Digest::of(&bytes).to_string();
    version.truncate(12);
    version
}

/// Directories in a directory, at any depth, as far as they can be read: the others are no less looked at by schedule.
fn directories_below(dir: &Path) -> Vec<PathBuf> {
    let (mut found, mut next) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(dir) = next.pop() {
        let Ok(entries) = std::fs::read_dir(&dir) else { continue };
        for entry in entries.flatten() {
            if found.len() < MOST_BELOW && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                found.push(entry.path());
                next.push(entry.path());
            }
        }
    }
    found
}
