//! The loop: waits, gathers whom something happened to, looks at them and at all that come after them, and tells what came of it. At
//! each turn of the schedule everything is looked at, whatever could be watched.

use crate::check::{Checked, End, Leave, Look};
use crate::interest::{Hit, Interests, Who, with_dependants};
use crate::judge::{Books, Now, left, time};
use crate::memory::Memory;
use crate::pause;
use crate::report::journald::Journald;
use crate::report::lines::Lines;
use crate::report::prometheus::Prometheus;
use crate::report::{Cause, Reporter, Told, What};
use crate::schedule::{Schedule, splay};
use crate::settings::Settings;
use crate::source::{Site, Source};
use crate::status::{Last, Status, be_the_agent};
use crate::watch::files::{Files, Happened};
use crate::watch::wait::Wait;
use agent::engine::{Graph, Part};
use agent::os::lock::Lock;
use agent::session::Clock;
use agent::state::StateDir;
use model::{Digest, Failure, OnDrift, PlannedNode, Report};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So long is waited for another run that has the host, before it is tried again.
const BUSY: Duration = Duration::from_millis(500);

/// Who wakes us for nothing again and again is listened to less: at most once in so long.
const DEAF: Duration = Duration::from_secs(30);

/// Directories below one that are watched, at most.
const MOST_BELOW: usize = 1000;

/// The host, and what the agent needs of it.
pub struct Host<'a> {
    /// Its state.
    pub state: StateDir,
    /// Its name.
    pub name: String,
    /// Its machine-id(5); empty where it has none.
    pub machine_id: String,
    /// The time.
    pub clock: Clock<'a>,
}

/// The agent of a host.
pub struct Keeper<'a> {
    settings: Settings,
    source: &'a dyn Source,
    host: Host<'a>,
    wait: Wait,
    files: Files,
    interests: Interests,
    site: Option<Arc<Site>>,
    memory: Memory,
    kept: Memory,
    status: Status,
    written: Status,
    reporters: Vec<Box<dyn Reporter>>,
    schedule: Schedule,
    next: u64,
    due: BTreeMap<Who, Instant>,
    everything: Option<Cause>,
    /// When another run may have left the host.
    again: Option<Instant>,
    noise: BTreeMap<Who, (u32, Instant)>,
    paused: Option<u64>,
    _lock: Lock,
}

impl<'a> Keeper<'a> {
    /// The agent of the host, which it is until this is dropped.
    ///
    /// # Errors
    /// Another process is, or the host refuses something without which there is none.
    pub fn new(settings: Settings, source: &'a dyn Source, host: Host<'a>) -> Result<Self, Failure> {
        let since = (host.clock)();
        let lock = be_the_agent(&host.state, &since)?;
        host.state.make_folder(pause::FOLDER)?;
        let (memory, damage) = Memory::read(&host.state)?;
        let offset = if settings.splay { splay(&host.machine_id, settings.every) } else { 0 };
        let schedule = Schedule::new(settings.every, offset);
        let mut reporters: Vec<Box<dyn Reporter>> =
            vec![Box::new(Lines::open(&host.state, settings.reports.keep, settings.reports.days)?)];
        if settings.reports.journal {
            reporters.push(Box::new(Journald));
        }
        if let Some(path) = &settings.reports.prometheus {
            reporters.push(Box::new(Prometheus(path.clone())));
        }
        let mode = match settings.mode {
            OnDrift::Observe => "observe",
            OnDrift::Correct => "correct",
        };
        let status = Status { source: source.name(), mode: mode.to_owned(), ..Status::default() };
        let (interests, site, due, noise) = Default::default();
        let mut keeper = Self {
            settings,
            source,
            wait: Wait::new()?,
            files: Files::new()?,
            interests,
            site,
            kept: memory.clone(),
            memory,
            written: Status::default(),
            status,
            reporters,
            schedule,
            next: 0,
            due,
            everything: None,
            again: None,
            noise,
            paused: None,
            _lock: lock,
            host,
        };
        keeper.next = keeper.schedule.after(keeper.now());
        damage.into_iter().for_each(|text| keeper.tell(What::Note { text }));
        Ok(keeper)
    }

    /// Looks at everything once; the sum, or why there is none.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn once(&mut self) -> Result<Result<Report, String>, Failure> {
        self.mind_pause();
        if let Some(why) = self.words_of_pause()? {
            return Ok(Err(why));
        }
        self.load();
        self.look_at_everything(Cause::Asked);
        self.settle()?;
        let last = self.status.last.clone();
        let trouble =
            self.status.no_catalog.clone().or_else(|| last.as_ref().and_then(|last| last.trouble.clone()));
        Ok(match (trouble, last) {
            (None, Some(last)) => Ok(last.report),
            (why, _) => Err(why.unwrap_or_else(|| "nothing was looked at".to_owned())),
        })
    }

    /// What is left as it is, and why: of the last look.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Keeps the host even until a signal ends it.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn run(&mut self) -> Result<(), Failure> {
        let source = self.source.name();
        self.tell(What::Started { source });
        self.load();
        self.everything = Some(Cause::Start);
        while !self.wait.is_over() {
            self.gather()?;
            self.mind_pause();
            self.act();
            self.settle()?;
            if self.is_idle() {
                self.sleep()?;
            }
        }
        self.tell(What::Stopped);
        self.settle()
    }

    fn now(&self) -> u64 {
        seconds(&(self.host.clock)())
    }

    fn sleep(&self) -> Result<(), Failure> {
        let now = self.now();
        let fights = self.memory.breaker.next(now);
        let opens = self.settings.windows.opens(now);
        let at = [Some(self.next), self.paused, fights, opens].into_iter().flatten().min();
        let within = self.due.values().copied().chain(self.again).min();
        let within = if self.paused.is_some() { None } else { within };
        self.wait.wait(&[self.files.fd()], at.unwrap_or(self.next), within)
    }

    /// True where there is nothing to be done now.
    fn is_idle(&self) -> bool {
        let now = Instant::now();
        let is_due = self.everything.is_some() || self.due.values().any(|due| *due <= now);
        self.paused.is_some() || self.again.is_some() || !is_due
    }

    /// Takes up what has happened.
    fn gather(&mut self) -> Result<(), Failure> {
        for happened in self.files.happened()? {
            match happened {
                Happened::Name(dir, name, change) => {
                    let concerned = self.interests.happened(&dir, &name, change);
                    if let Some(dir) = concerned.anew {
                        self.files.watch(self.interests.below(&dir));
                    }
                    concerned.hits.into_iter().for_each(|hit| self.hit(hit));
                }
                Happened::Gone(dir) => {
                    self.files.watch(self.interests.below(&dir));
                    self.interests.all_below(&dir).into_iter().for_each(|hit| self.hit(hit));
                }
                Happened::Everything => {
                    let text = "so much happened at once that the kernel could not tell all of it".to_owned();
                    self.tell(What::Note { text });
                    self.everything.get_or_insert(Cause::Event);
                }
            }
        }
        if self.wait.look.swap(false, std::sync::atomic::Ordering::SeqCst) {
            self.due.insert(Who::Site, Instant::now());
            self.everything.get_or_insert(Cause::Asked);
        }
        let now = self.now();
        // A clock that was set may have gone by it, or be far before it.
        if self.next <= now || self.next > now + 2 * self.settings.every {
            self.next = self.schedule.after(now);
            self.everything.get_or_insert(Cause::Schedule);
        }
        if self.status.opens.is_some() && self.settings.windows.is_open(now) {
            self.everything.get_or_insert(Cause::Schedule);
        }
        let tried: Vec<_> =
            self.status.fights.keys().filter(|id| self.memory.breaker.allows(id, now)).cloned().collect();
        for id in tried {
            self.status.fights.remove(&id);
            if let Some(at) = self.site.as_ref().and_then(|site| site.work.catalog.position(&id)) {
                self.hit((Who::Node(u32::try_from(at).unwrap_or(u32::MAX)), 0));
            }
        }
        if self.again.is_some_and(|again| again <= Instant::now()) {
            self.again = None;
        }
        Ok(())
    }

    fn hit(&mut self, (who, millis): Hit) {
        let now = Instant::now();
        let mut delay = Duration::from_millis(millis.into());
        if let Some((count, last)) = self.noise.get(&who)
            && *count > 3
        {
            let quiet = Duration::from_millis(50 << (count - 3).min(10)).min(DEAF);
            delay = delay.max(quiet.saturating_sub(now.duration_since(*last)));
        }
        self.due.entry(who).or_insert(now + delay);
    }

    /// Looks whether somebody paused the agent, or had it go on.
    fn mind_pause(&mut self) {
        self.due.remove(&Who::Orders);
        let until = match pause::read(&self.host.state, self.now()) {
            Ok(None) => None,
            Ok(Some(pause)) => {
                let until =
                    pause.until().map_or(u64::MAX, |until| u64::try_from(until.as_second()).unwrap_or(0));
                if self.paused != Some(until) {
                    self.tell(What::Paused { words: pause.words() });
                }
                Some(until)
            }
            Err(failure) => {
                if self.paused.is_none() {
                    self.tell(What::Paused { words: failure.to_string() });
                }
                Some(u64::MAX >> 1)
            }
        };
        if self.paused.is_some() && until.is_none() {
            self.tell(What::Resumed);
            self.everything.get_or_insert(Cause::Asked);
        }
        self.paused = until;
    }

    fn words_of_pause(&self) -> Result<Option<String>, Failure> {
        Ok(pause::read(&self.host.state, self.now())?.map(|pause| format!("the agent is {}", pause.words())))
    }

    fn act(&mut self) {
        if self.paused.is_some() || self.again.is_some() {
            return;
        }
        let now = Instant::now();
        let is_site = self.due.get(&Who::Site).is_some_and(|due| *due <= now);
        if (is_site || self.everything == Some(Cause::Schedule)) && self.load() {
            self.everything.get_or_insert(Cause::Site);
        }
        if let Some(cause) = self.everything.take() {
            return self.look_at_everything(cause);
        }
        let ready = |(who, due): (&Who, &Instant)| match who {
            Who::Node(at) if *due <= now => Some(*at),
            _ => None,
        };
        let nodes: BTreeSet<u32> = self.due.iter().filter_map(ready).collect();
        if !nodes.is_empty() {
            self.due.retain(|who, _| !matches!(who, Who::Node(at) if nodes.contains(at)));
            self.look_at(&nodes);
        }
    }

    /// Reads the site anew; true where its catalog is another one than before.
    fn load(&mut self) -> bool {
        self.due.remove(&Who::Site);
        let (files, is_new) = match self.source.site() {
            Ok(site) => {
                let version = version(&site);
                let is_new = self.status.catalog.as_ref() != Some(&version);
                let (files, resources) = (site.files.clone(), site.work.catalog.nodes().len());
                let warnings = site.warnings.clone();
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
                (none.files, false)
            }
        };
        self.watch(&files);
        is_new
    }

    /// Watches what the catalog claims, and what it was made from.
    fn watch(&mut self, files: &[PathBuf]) {
        if !self.settings.watch {
            return;
        }
        let mut interests = Interests::default();
        if let Some(site) = &self.site {
            match Graph::load(&site.work.catalog, &site.secrets, agent::kinds::ALL) {
                Ok(graph) => interests = Interests::of(&graph, &directories_below),
                Err(failure) => self.tell(What::Note { text: failure.to_string() }),
            }
        }
        interests.site(files, Path::is_dir);
        interests.path(&self.host.state.root().join(pause::NAME), (Who::Orders, 0));
        let wanted: BTreeSet<&Path> = interests.directories().collect();
        self.files.keep(&wanted);
        self.files.watch(wanted.into_iter());
        self.interests = interests;
        self.status.directories = self.files.count();
        self.status.units = self.interests.units().count();
        let unwatched: BTreeMap<String, String> =
            self.files.unwatched.iter().map(|(dir, why)| (dir.display().to_string(), why.clone())).collect();
        for (what, why) in &unwatched {
            if self.status.unwatched.get(what) != Some(why) {
                self.tell(What::Unwatched { what: what.clone(), why: why.clone() });
            }
        }
        self.status.unwatched = unwatched;
    }

    fn look_at_everything(&mut self, cause: Cause) {
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
        let checked = self.check(&site, part);
        if let End::Busy(_) = checked.end {
            self.everything = Some(cause);
        }
        self.enter((&site, &all), checked, cause);
    }

    fn look_at(&mut self, nodes: &BTreeSet<u32>) {
        let Some(site) = self.site.clone() else { return };
        let catalog = &site.work.catalog;
        let all: Vec<usize> = with_dependants(catalog, nodes).into_iter().map(|at| at as usize).collect();
        let ids = all.iter().filter_map(|at| catalog.nodes().get(*at)).map(|node| node.id.clone()).collect();
        let checked = self.check(&site, Part::Only(ids));
        let now = Instant::now();
        let is_nothing = checked.differing.is_empty() && checked.failed.is_empty();
        for who in nodes.iter().map(|at| Who::Node(*at)) {
            match checked.end {
                End::Busy(_) => drop(self.due.insert(who, now)),
                End::Whole if is_nothing => {
                    let (count, last) = self.noise.get(&who).copied().unwrap_or((0, now));
                    let count = if now.duration_since(last) < DEAF { count + 1 } else { 1 };
                    self.noise.insert(who, (count, now));
                }
                _ => drop(self.noise.remove(&who)),
            }
        }
        self.enter((&site, &all), checked, Cause::Event);
    }

    fn check(&self, site: &Site, part: Part) -> Checked {
        let Host { state, clock, .. } = &self.host;
        let now = self.now();
        let rule = |node: &PlannedNode| left(node, site, &self.memory, (&self.settings, now));
        let is_open = self.settings.windows.is_open(now);
        let leave: Leave<'_> = if is_open { Ok(&rule) } else { Err("it is outside the maintenance windows") };
        Look { site, state, clock: *clock, stop: &self.wait.stop }.check(part, leave)
    }

    fn enter(&mut self, (site, nodes): (&Site, &[usize]), checked: Checked, cause: Cause) {
        let trouble = match &checked.end {
            End::Whole => None,
            End::Busy(_) => {
                self.again = Some(Instant::now() + BUSY);
                return;
            }
            End::Locked(why) => Some(why.clone()),
            End::Failed(why) => Some(why.clone()),
        };
        let (at, seconds) = ((self.host.clock)(), self.now());
        let now = Now { text: &at, seconds };
        self.status.looks += 1;
        self.status.opens =
            self.settings.windows.opens(seconds).filter(|_| !checked.left.is_empty()).map(time);
        let mut books =
            Books { memory: &mut self.memory, status: &mut self.status, settings: &self.settings };
        let told = books.enter(&site.work.catalog, nodes, &checked, now);
        let Checked { report, millis, notes, .. } = checked;
        let is_news = !told.is_empty() || trouble.is_some() || cause != Cause::Event;
        told.into_iter().for_each(|what| self.tell(what));
        notes.into_iter().for_each(|text| self.tell(What::Note { text }));
        self.status.last = Some(Last { at, cause, report: report.clone(), millis, trouble });
        self.status.next = Some(time(self.next));
        if is_news {
            self.tell(What::Looked { cause, report, millis });
        }
    }

    fn tell(&mut self, what: What) {
        let told = Told {
            at: (self.host.clock)(),
            host: self.host.name.clone(),
            catalog: self.status.catalog.clone(),
            what,
        };
        for reporter in &mut self.reporters {
            // One that fails is no reason for the others to; it shows in the status.
            match reporter.tell(&told, &self.status) {
                Ok(()) => drop(self.status.untold.remove(reporter.name())),
                Err(failure) => {
                    drop(self.status.untold.insert(reporter.name().to_owned(), failure.to_string()))
                }
            }
        }
    }

    /// Writes down what has changed, and only that: a write for nothing would be one that wakes somebody.
    fn settle(&mut self) -> Result<(), Failure> {
        if self.memory != self.kept {
            self.memory.write(&self.host.state)?;
            self.kept = self.memory.clone();
        }
        if self.status != self.written {
            self.status.write(&self.host.state)?;
            self.written = self.status.clone();
        }
        Ok(())
    }
}

/// A catalog by its bytes, which are the same for the same input.
fn version(site: &Site) -> String {
    let bytes = serde_json::to_vec(&site.work.catalog).unwrap_or_default();
    let mut version = Digest::of(&bytes).to_string();
    version.truncate(12);
    version
}

fn seconds(clock: &str) -> u64 {
    let time: Option<jiff::Timestamp> = clock.parse().ok();
    time.and_then(|time| u64::try_from(time.as_second()).ok()).unwrap_or(0)
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
