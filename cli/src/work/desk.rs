//! The one who wants something of hosts: gives each its order, hands on what they tell, asks the user once for all of them, and
//! keeps count of how they ended. The same for work on this machine and for a push.

use super::errand::{Errand, Ready, Since, Wanted};
use crate::exit::{Class, Exit};
use crate::site::Refusal;
use crate::view;
use crate::view::ask::Consent;
use crate::view::show::{Show, Sorted};
use anyhow::anyhow;
use fleet::{Controller, End, Lost, Prepared, Stage};
use model::{Event, EventBody, Facts};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use wire::{Order, Reply};

/// Everybody's state, and the way to show it.
pub struct Desk<'a> {
    errand: &'a Errand,
    show: &'a dyn Show,
    hosts: Vec<Host>,
    /// Runs that an earlier call has lost sight of, by their hosts.
    lost: BTreeMap<String, Lost>,
    state: Mutex<BTreeMap<String, State>>,
    /// The user's answer, once there is one.
    answer: Arc<OnceLock<bool>>,
    asked: OnceLock<()>,
    /// True where a run has begun on a host.
    begun: Arc<AtomicBool>,
}

/// A machine that is meant.
pub struct Host {
    /// What it is called.
    pub name: String,
    /// Its name in the inventory.
    pub inventory: Option<String>,
    /// How the user named it, for the journal.
    pub words: Vec<String>,
}

#[derive(Default)]
struct State {
    nodes: u64,
    waits: bool,
    /// The run, where it is undone unless it is confirmed.
    pending: Option<Waits>,
    /// The number of the next event.
    next: u64,
    end: Option<(Class, Exit)>,
}

/// A run that waits to be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// Its number.
    pub run: u64,
    /// For how many seconds after its end.
    pub window: u64,
    /// The number of its next event.
    pub next: u64,
}

impl<'a> Desk<'a> {
    /// Nobody has begun.
    pub fn new(errand: &'a Errand, show: &'a dyn Show, hosts: Vec<Host>) -> Self {
        let state = hosts.iter().map(|host| (host.name.clone(), State::default())).collect();
        let (answer, asked) = Default::default();
        Self {
            errand,
            show,
            hosts,
            lost: BTreeMap::new(),
            state: Mutex::new(state),
            answer,
            asked,
            begun: Arc::default(),
        }
    }

    /// With what is known of runs that an earlier call has lost sight of, and who is to know that one has begun.
    pub fn knowing(self, lost: BTreeMap<String, Lost>, begun: &Arc<AtomicBool>) -> Self {
        Self { lost, begun: Arc::clone(begun), ..self }
    }

    /// The order for a host, given its facts.
    pub fn prepare(&self, host: &str, facts: &Facts) -> Result<Prepared, Refusal> {
        let one = self.hosts.iter().find(|one| one.name == host);
        let one = one.ok_or_else(|| anyhow!("{host} is not meant"))?;
        let words: Vec<&str> = one.words.iter().map(String::as_str).collect();
        let Ready { mut prepared, nodes, warnings } =
            self.errand.ready(one.inventory.as_deref(), &words, facts)?;
        self.with(host, |state| state.nodes = nodes);
        self.show.wrong(host, &warnings);
        if let Order::Attach { run, from } = &mut prepared.order {
            self.where_it_was_left(host, run, from);
        }
        if let (Some(book), Order::Check(checks)) = (self.errand.book(), &mut prepared.order) {
            *checks = book.asks(host, std::mem::take(checks));
        }
        if prepared.order == Order::Facts {
            self.show.facts(host, facts);
        }
        Ok(prepared)
    }

    /// The run that waits to be confirmed.
    pub fn waits(&self, host: &str) -> Option<Waits> {
        self.state().get(host).and_then(|state| Some(Waits { next: state.next, ..state.pending? }))
    }

    /// A run is told from where it was told of last, unless all of it is wanted.
    fn where_it_was_left(&self, host: &str, run: &mut Option<u64>, from: &mut u64) {
        let is_all = matches!(self.errand.wanted, Wanted::Attach { since: Since::Begin, .. });
        let lost = self.lost.get(host).and_then(|lost| Some((lost.run()?, lost.next())));
        if let Some((number, next)) = lost.filter(|(number, _)| !is_all && run.unwrap_or(*number) == *number)
        {
            (*run, *from) = (Some(number), next);
        }
    }

    /// The exit code, when all have ended and been shown.
    pub fn finish(&self) -> Exit {
        view::let_go();
        self.show.finish(&self.ended_so_far());
        Exit::of_all(self.state().values().filter_map(|state| Some(state.end?.1)))
    }

    fn state(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with(&self, host: &str, act: impl FnOnce(&mut State)) {
        if let Some(state) = self.state().get_mut(host) {
            act(state);
        }
    }

    fn ended_so_far(&self) -> Sorted {
        let (mut sorted, state) = (Sorted::new(), self.state());
        for host in &self.hosts {
            if let Some((class, _)) = state.get(&host.name).and_then(|state| state.end) {
                sorted.entry(class).or_default().push(host.name.clone());
            }
        }
        sorted
    }

    /// The hosts that wait for the answer, once all others have ended.
    fn all_waiting(&self) -> Option<Vec<String>> {
        let state = self.state();
        if state.values().any(|one| !one.waits && one.end.is_none()) {
            return None;
        }
        let waits = |host: &&Host| state.get(&host.name).is_some_and(|one| one.end.is_none());
        Some(self.hosts.iter().filter(waits).map(|host| host.name.clone()).collect())
    }

    /// Asks in a thread of its own: the hosts want to hear meanwhile that somebody is still there.
    fn ask(&self, waiting: &[String]) {
        self.show.before_question(waiting, &self.ended_so_far());
        let verb = match &self.errand.wanted {
            Wanted::Same(_) | Wanted::Checks { .. } | Wanted::Attach { .. } => "Roll back",
            Wanted::Catalog { .. } | Wanted::Made(_) => "Apply",
        };
        let text = match (self.hosts.len(), waiting.len()) {
            (1, _) => format!("{verb}?"),
            (_, 1) => format!("{verb} on 1 host?"),
            (_, many) => format!("{verb} on {many} hosts?"),
        };
        let answer = Arc::clone(&self.answer);
        std::thread::spawn(move || {
            answer.get_or_init(|| view::ask::question(&text));
        });
    }
}

impl Controller for Desk<'_> {
    fn order(&self, host: &str, facts: &Facts) -> Result<Prepared, String> {
        self.prepare(host, facts).map_err(|refusal| match refusal {
            Refusal::Diagnostics(found) => {
                self.show.wrong(host, &found);
                "it does not compile, so nothing was done there".to_owned()
            }
            Refusal::Other(error) => format!("{error:#}"),
        })
    }

    fn stage(&self, host: &str, stage: Stage) {
        if stage == Stage::Run {
            self.begun.store(true, Ordering::SeqCst);
        }
        self.show.stage(host, stage);
    }

    fn event(&self, host: &str, event: &Event) {
        self.with(host, |state| {
            state.next = event.seq.saturating_add(1);
            match &event.body {
                EventBody::Armed { run, window, .. } => {
                    let (run, window, next) = (run.parse().ok(), *window, state.next);
                    state.pending = run.map(|run| Waits { run, window, next });
                }
                EventBody::Confirmed { .. } | EventBody::Reverted { .. } => state.pending = None,
                _ => {}
            }
        });
        self.show.event(host, event);
    }

    fn reply(&self, host: &str, reply: Reply) {
        self.show.reply(host, &reply);
        if let (Some(book), Reply::Checks(results)) = (self.errand.book(), reply) {
            book.heard(host, results);
        }
    }

    fn answer(&self, host: &str) -> Option<bool> {
        if self.errand.consent == Consent::Given {
            return Some(true);
        }
        if let Some(answer) = self.answer.get() {
            return Some(*answer);
        }
        self.with(host, |state| state.waits = true);
        let waiting = self.all_waiting()?;
        if self.asked.set(()).is_ok() {
            self.ask(&waiting);
        }
        None
    }

    fn note(&self, host: &str, text: &str) {
        self.show.note(host, text);
    }

    fn ended(&self, host: &str, end: &End) {
        self.errand.book().iter().for_each(|book| book.ended(host, end));
        let mut nodes = 0;
        self.with(host, |state| {
            nodes = state.nodes;
            state.end = Some((Class::of(end), Exit::of(end)));
        });
        self.show.ended(host, end, nodes);
    }
}
