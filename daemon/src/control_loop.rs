//! The loop of the agent: waits, gathers whom something happened to, looks at them and at all that come after them, and tells what came of it. At
//! each turn of the schedule everything is looked at, whatever could be watched.

use crate::interest::{Hit, Interests, Who};
use crate::memory::Memory;
use crate::pause;
use crate::renewal::{mode, schedule};
use crate::report::way::Outside;
use crate::report::{Cause, Reporter, What};
use crate::reporters::{FAREWELL, PATIENCE, reporters};
use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::source::{Site, Source};
use crate::status::{Status, be_the_agent};
use crate::watch::files::{Files, Happened};
use crate::watch::mounts::Mounts;
use crate::watch::units::Manager;
use crate::watch::values::Values;
use crate::watch::wait::{Wait, Woken};
use crate::watch::writers::Writers;
use agent::os::lock::Lock;
use agent::session::Clock;
use agent::state::StateDir;
use agent::work::keeping::{ORDERS, end_of};
use model::{Failure, Report};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who wakes us for nothing again and again is listened to less: at most once in so long.
pub(crate) const DEAF: Duration = Duration::from_secs(30);

/// The host, and what the agent needs of it.
pub struct Host<'a> {
    /// Its state.
    pub state: StateDir,
    /// Where the agent's settings stand, to be read again when they are altered.
    pub settings: Option<PathBuf>,
    /// Its name.
    pub name: String,
    /// Its machine-id(5); empty where it has none.
    pub machine_id: String,
    /// The time.
    pub clock: Clock<'a>,
    /// What its reports leave it by.
    pub outside: Outside,
}

/// The agent of a host.
pub struct ControlLoop<'a> {
    pub(crate) settings: Settings,
    pub(crate) source: &'a dyn Source,
    pub(crate) host: Host<'a>,
    pub(crate) wait: Wait,
    pub(crate) files: Files,
    pub(crate) manager: Manager,
    pub(crate) values: Values,
    pub(crate) mounts: Mounts,
    pub(crate) writers: Writers,
    pub(crate) interests: Interests,
    pub(crate) site: Option<Arc<Site>>,
    pub(crate) memory: Memory,
    pub(crate) kept: Memory,
    pub(crate) status: Status,
    pub(crate) written: Status,
    /// What was to be written down could not be, and that was told.
    pub(crate) is_unwritten: bool,
    pub(crate) reporters: Vec<Box<dyn Reporter>>,
    pub(crate) schedule: Schedule,
    pub(crate) next: u64,
    pub(crate) due: BTreeMap<Who, Instant>,
    pub(crate) everything: Option<Cause>,
    /// When another run may have left the host.
    pub(crate) again: Option<Instant>,
    pub(crate) noise: BTreeMap<Who, (u32, Instant)>,
    pub(crate) paused: Option<u64>,
    pub(crate) _lock: Lock,
}

impl<'a> ControlLoop<'a> {
    /// The agent of the host, which it is until this is dropped.
    ///
    /// # Errors
    /// Another process is, or the host refuses something without which there is none.
    pub fn new(settings: Settings, source: &'a dyn Source, host: Host<'a>) -> Result<Self, Failure> {
        let since = (host.clock)();
        let lock = be_the_agent(&host.state, &since)?;
        host.state.make_folder(ORDERS)?;
        let (memory, damage) = Memory::read(&host.state)?;
        let schedule = schedule(&settings, &host);
        let wait = Wait::new()?;
        let reporters = reporters(&settings.reports, &host, &wait)?;
        let status = Status { source: source.name(), mode: mode(&settings).to_owned(), ..Status::default() };
        let (interests, site, due, noise) = Default::default();
        let mut this = Self {
            settings,
            source,
            wait,
            files: Files::new(),
            manager: Manager::default(),
            values: Values::default(),
            mounts: Mounts::default(),
            writers: Writers::default(),
            interests,
            site,
            kept: memory.clone(),
            memory,
            written: Status::default(),
            is_unwritten: false,
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
        this.next = this.schedule.after(this.now());
        damage.into_iter().for_each(|text| this.tell(What::Note { text }));
        Ok(this)
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
        self.flush(PATIENCE);
        self.write_down()?;
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
        // They may be those before, where nobody could read what stands there when this began.
        self.due.insert(Who::Settings, Instant::now());
        self.everything = Some(Cause::Start);
        while !self.wait.is_over() {
            self.gather()?;
            self.mind_pause();
            self.act();
            self.settle();
            if self.is_idle() {
                self.sleep()?;
            }
        }
        self.tell(What::Stopped);
        self.flush(FAREWELL);
        self.write_down()
    }

    pub(crate) fn now(&self) -> u64 {
        seconds(&(self.host.clock)())
    }

    fn sleep(&mut self) -> Result<(), Failure> {
        let now = self.now();
        let fights = self.memory.breaker.next(now);
        let opens = self.settings.windows.opens(now);
        let at = [Some(self.next), self.paused, fights, opens].into_iter().flatten().min();
        let heeded = || [Who::Settings, Who::Site].iter().filter_map(|who| self.due.get(who).copied()).min();
        let within = match (self.paused, self.again) {
            (Some(_), _) => heeded(),
            (None, Some(again)) => Some(again),
            (None, None) => self.due.values().copied().min(),
        };
        let within = self.manager.again().into_iter().chain(within).min();
        let inputs: Vec<_> =
            self.files.fd().into_iter().chain(self.manager.fd()).chain(self.writers.fd()).collect();
        loop {
            let values = self.values.next().filter(|_| self.paused.is_none());
            let until = values.into_iter().chain(within).min();
            let woken = self.wait.wait((&inputs, self.mounts.fd()), at.unwrap_or(self.next), until)?;
            if woken == Woken::Mounts {
                self.mounts.stir();
            }
            let is_time = within.is_some_and(|within| within <= Instant::now());
            // What is as it was when it was read last wakes nobody.
            if woken != Woken::Time || is_time || self.values.look() {
                return Ok(());
            }
        }
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
        for unit in self.manager.happened(&self.interests) {
            self.interests.of_unit(&unit).collect::<Vec<_>>().into_iter().for_each(|hit| self.hit(hit));
        }
        for path in self.mounts.happened()? {
            self.interests.of_mount(&path).collect::<Vec<_>>().into_iter().for_each(|hit| self.hit(hit));
        }
        for path in self.values.happened() {
            self.interests.of_value(&path).collect::<Vec<_>>().into_iter().for_each(|hit| self.hit(hit));
        }
        self.mind_manager();
        self.mind_reporters();
        self.writers.hear();
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
                    end_of(&pause).map_or(u64::MAX, |until| u64::try_from(until.as_second()).unwrap_or(0));
                if self.paused != Some(until) {
                    self.tell(What::Paused { words: pause::words(&pause) });
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
            self.due.insert(Who::Site, Instant::now());
            self.everything.get_or_insert(Cause::Asked);
        }
        self.paused = until;
    }

    fn words_of_pause(&self) -> Result<Option<String>, Failure> {
        Ok(pause::read(&self.host.state, self.now())?
            .map(|pause| format!("the agent is {}", pause::words(&pause))))
    }

    fn act(&mut self) {
        let is_due = |who| self.due.get(&who).is_some_and(|due| *due <= Instant::now());
        let (is_site, is_settings) = (is_due(Who::Site), is_due(Who::Settings));
        // Settings that come with another keel are for that one to read.
        if (is_site || is_settings) && self.source.is_outdated() {
            self.tell(What::Note {
                text: "another keel is in the place of this one, which starts anew".to_owned(),
            });
            return self.wait.end();
        }
        self.mind_settings();
        if self.paused.is_some() && is_site {
            // It is read anew when the pause ends.
            self.due.remove(&Who::Site);
        }
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

    /// Writes down what has changed. Who cannot, as where the disk is full, keeps the host even no less, and tries again at each turn.
    fn settle(&mut self) {
        match self.write_down() {
            Ok(()) => self.is_unwritten = false,
            Err(failure) if !self.is_unwritten => {
                self.is_unwritten = true;
                self.tell(What::Note {
                    text: format!("what the agent knows is not written down: {failure}"),
                });
            }
            Err(_) => {}
        }
    }

    /// Only what has changed: a write for nothing would be one that wakes somebody.
    fn write_down(&mut self) -> Result<(), Failure> {
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

fn seconds(clock: &str) -> u64 {
    let time: Option<jiff::Timestamp> = clock.parse().ok();
    time.and_then(|time| u64::try_from(time.as_second()).ok()).unwrap_or(0)
}
