//! The loop of the agent: waits, gathers whom something happened to, looks at them and at all that come after them, and tells what came of it. At
//! each turn of the schedule everything is looked at, whatever could be watched.

mod reconcile;
mod renewal;

use crate::agenda::Agenda;
use crate::host::Host;
use crate::in_force::InForce;
use crate::interest::Who;
use crate::locked::Locked;
use crate::memory::Memory;
use crate::notebook::Notebook;
use crate::pause::{self, Standing};
use crate::report::{Cause, What};
use crate::reporters::{FAREWELL, PATIENCE, Reporters};
use crate::settings::Settings;
use crate::source::Source;
use crate::status::{Last, Status, be_the_agent};
use crate::watch::wait::{Wait, Woken};
use crate::watched::{Heard, Watched};
use agent::os::lock::Lock;
use agent::work::keeping::ORDERS;
use model::{Failure, Report};
use renewal::{mode, schedule};
use std::time::Instant;

/// The agent of a host.
pub struct ControlLoop<'a> {
    settings: Settings,
    host: Host<'a>,
    wait: Wait,
    in_force: InForce<'a>,
    watched: Watched,
    agenda: Agenda,
    pause: Standing,
    locked: Locked,
    notebook: Notebook,
    reporters: Reporters<'a>,
    _lock: Lock,
}

/// Why there is no sum of a look, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoLook {
    /// Somebody kept it off the host: a pause, a lock, another run.
    Kept(String),
    /// It could not be done.
    Failed(String),
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
        let status = Status { source: source.name(), mode: mode(&settings).to_owned(), ..Status::default() };
        let (notebook, damage) = Notebook::read(&host.state, status)?;
        let wait = Wait::new()?;
        let mut this = Self {
            reporters: Reporters::open(&settings.reports, &host, &wait)?,
            agenda: Agenda::new(schedule(&settings, &host), seconds(&(host.clock)())),
            in_force: InForce::new(source, host.clock),
            watched: Watched::new(),
            pause: Standing::default(),
            locked: Locked::default(),
            settings,
            wait,
            notebook,
            _lock: lock,
            host,
        };
        damage.into_iter().for_each(|what| this.tell(what));
        Ok(this)
    }

    /// Looks at everything once; the sum, or why there is none.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn once(&mut self) -> Result<Result<Report, NoLook>, Failure> {
        self.mind_pause();
        if let Some(why) = self.words_of_pause()? {
            return Ok(Err(NoLook::Kept(why)));
        }
        self.load();
        let busy = self.look_at_everything(Cause::Asked);
        self.reporters.flush(&mut self.notebook.status, PATIENCE);
        self.notebook.write(&self.host.state)?;
        let Status { no_catalog, last, .. } = self.status().clone();
        Ok(match (busy, no_catalog, last) {
            (Some(who), ..) => Err(NoLook::Kept(format!("another run has this host: {who}"))),
            (_, Some(why), _) => Err(NoLook::Failed(why)),
            (_, _, Some(Last { trouble: Some(why), is_locked: true, .. })) => Err(NoLook::Kept(why)),
            (_, _, Some(Last { trouble: Some(why), .. })) => Err(NoLook::Failed(why)),
            (_, _, Some(last)) => Ok(last.report),
            (_, _, None) => Err(NoLook::Failed("nothing was looked at".to_owned())),
        })
    }

    /// What is left as it is, and why: of the last look.
    pub fn status(&self) -> &Status {
        &self.notebook.status
    }

    /// Keeps the host even until a signal ends it.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn run(&mut self) -> Result<(), Failure> {
        let source = self.in_force.source().name();
        self.in_force.source().heed(self.wait.bell()?);
        self.tell(What::Started { source });
        self.load();
        // They may be those before, where nobody could read what stands there when this began.
        self.agenda.put(Who::Settings, Instant::now());
        self.agenda.want_everything(Cause::Start);
        self.locked.read(&self.host.state, &(self.host.clock)());
        while !self.wait.is_over() {
            self.gather()?;
            self.mind_pause();
            self.act();
            let note = self.notebook.settle(&self.host.state);
            note.into_iter().for_each(|what| self.tell(what));
            if self.pause.is_on() || self.agenda.is_idle(Instant::now()) {
                self.sleep()?;
            }
        }
        self.tell(What::Stopped);
        self.reporters.flush(&mut self.notebook.status, FAREWELL);
        self.notebook.write(&self.host.state)
    }

    fn now(&self) -> u64 {
        seconds(&(self.host.clock)())
    }

    fn tell(&mut self, what: What) {
        self.reporters.tell(&mut self.notebook.status, what);
    }

    fn sleep(&mut self) -> Result<(), Failure> {
        let now = self.now();
        let (fights, opens) = (self.notebook.memory.breaker.next(now), self.settings.windows.opens(now));
        let at = [self.pause.until(), self.locked.until(), fights, opens].into_iter().flatten();
        let at = at.fold(self.agenda.next(), u64::min);
        let within = if self.pause.is_on() { self.agenda.heeded() } else { self.agenda.soonest() };
        let within = self.watched.again().into_iter().chain(within).min();
        loop {
            let values = self.watched.next_reading().filter(|_| !self.pause.is_on());
            let woken = self.watched.wait(&self.wait, at, values.into_iter().chain(within).min())?;
            let is_time = within.is_some_and(|within| within <= Instant::now());
            // What is as it was when it was read last wakes nobody.
            if woken != Woken::Time || is_time || self.watched.read_values() {
                return Ok(());
            }
        }
    }

    /// Takes up what has happened.
    fn gather(&mut self) -> Result<(), Failure> {
        let Heard { hits, is_cut } = self.watched.gather()?;
        hits.into_iter().for_each(|hit| self.agenda.hit(hit, Instant::now()));
        if is_cut {
            let text = "so much happened at once that the kernel could not tell all of it".to_owned();
            self.tell(What::Note { text });
            // The site and the settings may be others as well.
            for who in [Who::Site, Who::Settings] {
                self.agenda.put(who, Instant::now());
            }
            self.agenda.want_everything(Cause::Event);
        }
        self.watched.tell(&mut self.reporters, &mut self.notebook.status);
        self.reporters.mind(&mut self.notebook.status);
        self.mind_locks();
        if self.wait.look.swap(false, std::sync::atomic::Ordering::SeqCst) {
            self.agenda.put(Who::Site, Instant::now());
            self.agenda.want_everything(Cause::Asked);
        }
        if self.in_force.source().has_news() {
            self.agenda.put(Who::Site, Instant::now());
        }
        let now = self.now();
        self.agenda.mind_clock(now);
        if self.status().opens.is_some() && self.settings.windows.is_open(now) {
            self.agenda.want_everything(Cause::Schedule);
        }
        self.mind_fights(now);
        self.agenda.mind_waiting(Instant::now());
        Ok(())
    }

    /// What was altered while the host was locked is looked at as soon as a lock is taken away, or ends.
    fn mind_locks(&mut self) {
        let clock = (self.host.clock)();
        if self.agenda.is_due(Who::Locks, Instant::now()) || self.locked.has_ended(&clock) {
            self.agenda.done(Who::Locks);
            self.locked.read(&self.host.state, &clock);
            self.agenda.want_everything(Cause::Asked);
        }
    }

    /// Who was left alone for long enough is tried again.
    fn mind_fights(&mut self, now: u64) {
        let Memory { breaker, fights, .. } = &mut self.notebook.memory;
        let catalog = self.in_force.site().map(|site| &site.work.catalog);
        let tried = fights.extract_if(.., |id, _| breaker.allows(id, now));
        for at in tried.filter_map(|(id, _)| catalog?.position(&id)) {
            self.agenda.put(Who::Node(u32::try_from(at).unwrap_or(u32::MAX)), Instant::now());
        }
        self.notebook.status.fights.clone_from(&self.notebook.memory.fights);
    }

    /// Looks whether somebody paused the agent, or had it go on.
    fn mind_pause(&mut self) {
        self.agenda.done(Who::Orders);
        let Some(what) = self.pause.look(&self.host.state, self.now()) else { return };
        self.tell(what);
        if !self.pause.is_on() {
            self.agenda.put(Who::Site, Instant::now());
            self.agenda.want_everything(Cause::Asked);
        }
    }

    fn words_of_pause(&self) -> Result<Option<String>, Failure> {
        Ok(pause::read(&self.host.state, self.now())?
            .map(|pause| format!("the agent is {}", pause::words(&pause))))
    }

    fn act(&mut self) {
        let now = Instant::now();
        let (is_site, is_settings) =
            (self.agenda.is_due(Who::Site, now), self.agenda.is_due(Who::Settings, now));
        // Settings that come with another keel are for that one to read.
        if (is_site || is_settings) && self.in_force.source().is_outdated() {
            self.tell(What::Note {
                text: "another keel is in the place of this one, which starts anew".to_owned(),
            });
            return self.wait.end();
        }
        self.mind_settings();
        if self.pause.is_on() && is_site {
            // It is read anew when the pause ends.
            self.agenda.done(Who::Site);
        }
        if self.pause.is_on() || self.agenda.is_waiting() {
            return;
        }
        let now = Instant::now();
        let is_site = self.agenda.is_due(Who::Site, now);
        if (is_site || self.agenda.everything() == Some(Cause::Schedule)) && self.load() {
            self.agenda.want_everything(Cause::Site);
        }
        if let Some(cause) = self.agenda.take_everything() {
            self.look_at_everything(cause);
            return;
        }
        let nodes = self.agenda.take_nodes(now);
        if !nodes.is_empty() {
            self.look_at(&nodes);
        }
    }
}

fn seconds(clock: &str) -> u64 {
    let time: Option<jiff::Timestamp> = clock.parse().ok();
    time.and_then(|time| u64::try_from(time.as_second()).ok()).unwrap_or(0)
}
