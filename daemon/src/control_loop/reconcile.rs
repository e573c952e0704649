//! The agent reconciles: reads the site, watches what it claims, has some of it or all of it looked at and put right, and enters what came of
//! that. When, is `control_loop`'s business.

use super::{ControlLoop, Host};
use crate::bookkeeping::{Books, Now, time};
use crate::in_force::Loaded;
use crate::interest::{Interests, Who, with_dependants};
use crate::look::{End, Leave, Look, Looked, Rules};
use crate::notebook::Notebook;
use crate::policy::{left, stays};
use crate::report::{Cause, What};
use crate::source::Site;
use crate::status::Last;
use crate::watch::below::below;
use agent::engine::{Graph, Part};
use agent::state::LOCKS;
use agent::work::keeping::PAUSE;
use model::{Id, OnDrift, Orphan, PlannedNode};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// So long is waited for another run that has the host, before it is tried again.
const BUSY: Duration = Duration::from_millis(500);

/// So long after there was no catalog at all, or a look could not be done, it is tried again.
const SOON: Duration = Duration::from_secs(20);

impl ControlLoop<'_> {
    /// Reads the site anew, and watches what it claims; true where its catalog is another one than before, or a secret in it.
    pub(super) fn load(&mut self) -> bool {
        self.agenda.done(Who::Site);
        // A place that is slow, or silent, keeps nobody from what is in force.
        if self.in_force.source().asks() {
            return false;
        }
        let Loaded { files, is_new } = self.in_force.load(&mut self.reporters, &mut self.notebook.status);
        if self.in_force.site().is_none() {
            // There is nothing to keep yet: who has just booted may be without a network for a moment.
            self.agenda.put(Who::Site, Instant::now() + SOON);
        }
        self.watch(&files);
        is_new
    }

    /// Watches what the catalog claims, and what it was made from, where that is wanted; and what people say to the agent itself.
    fn watch(&mut self, files: &[PathBuf]) {
        let mut interests = Interests::default();
        if let Some(site) = self.in_force.site().filter(|_| self.settings.watch) {
            match Graph::load(&site.work.catalog, &site.secrets, agent::kinds::LIVE) {
                Ok(graph) => interests = Interests::of(&graph, &below),
                Err(failure) => self.tell(What::Note { text: failure.to_string() }),
            }
        }
        if self.settings.watch {
            interests.site(files, Path::is_dir);
        }
        interests.path(&self.host.state.root().join(PAUSE), (Who::Orders, 0));
        interests.path(&self.host.state.root().join(LOCKS), (Who::Locks, 0));
        self.host.settings.iter().for_each(|path| interests.path(path, (Who::Settings, 100)));
        self.watched.mind(interests, &mut self.reporters, &mut self.notebook.status);
    }

    /// Looks at everything; who has the host, where it had to be left to another run.
    pub(super) fn look_at_everything(&mut self, cause: Cause) -> Option<String> {
        let site = self.in_force.site().cloned()?;
        self.agenda.forget_nodes();
        let catalog = &site.work.catalog;
        let all: Vec<usize> = (0..catalog.nodes().len()).collect();
        // Where the host is only observed, what left the catalog stays too.
        let part = match self.settings.mode {
            OnDrift::Correct => Part::All,
            OnDrift::Observe => Part::Only(catalog.nodes().iter().map(|node| node.id.clone()).collect()),
        };
        let looked = self.look(&site, part);
        let busy = match &looked.end {
            End::Busy(who) => Some(who.clone()),
            _ => None,
        };
        match looked.end {
            End::Busy(_) => self.agenda.want_everything(cause),
            End::Failed(_) => {
                let nodes = (0..=u32::MAX).zip(&all).map(|(at, _)| Who::Node(at));
                nodes.for_each(|who| self.agenda.put(who, Instant::now() + SOON));
            }
            _ => {}
        }
        let Notebook { memory, status, .. } = &mut self.notebook;
        let has = |id: &Id| catalog.position(id).is_some();
        memory.keep(has);
        status.failing.retain(|id, _| has(id));
        status.held.retain(|id, _| has(id) || looked.end != End::Whole || looked.left.contains_key(id));
        self.enter((&site, &all), looked, cause);
        busy
    }

    pub(super) fn look_at(&mut self, nodes: &BTreeSet<u32>) {
        let Some(site) = self.in_force.site().cloned() else { return };
        let catalog = &site.work.catalog;
        let all: Vec<usize> = with_dependants(catalog, nodes).into_iter().map(|at| at as usize).collect();
        let ids = all.iter().filter_map(|at| catalog.nodes().get(*at)).map(|node| node.id.clone()).collect();
        let looked = self.look(&site, Part::Only(ids));
        let now = Instant::now();
        let is_nothing = !looked.did_something();
        for who in nodes.iter().map(|at| Who::Node(*at)) {
            match looked.end {
                End::Busy(_) => self.agenda.put(who, now),
                // As where the disk is full: nothing else would tell that it no longer is.
                End::Failed(_) => self.agenda.put(who, now + SOON),
                // Also what is left as it is, and may be written to a hundred times in a second.
                _ if is_nothing => self.agenda.was_nothing(who, now),
                _ => self.agenda.was_something(who),
            }
        }
        self.enter((&site, &all), looked, Cause::Event);
    }

    fn look(&self, site: &Site, part: Part) -> Looked {
        let Host { state, clock, .. } = &self.host;
        let now = self.now();
        let node = |node: &PlannedNode| left(node, site, &self.notebook.memory, (&self.settings, now));
        let orphan = |orphan: &Orphan| stays(orphan, &self.settings);
        let is_open = self.settings.windows.is_open(now);
        let rules = Rules { node: &node, orphan: &orphan };
        let leave: Leave<'_> = if is_open { Ok(rules) } else { Err("it is outside the maintenance windows") };
        Look { site, state, clock: *clock, stop: &self.wait.stop }.at(part, leave)
    }

    fn enter(&mut self, (site, nodes): (&Site, &[usize]), looked: Looked, cause: Cause) {
        let trouble = match &looked.end {
            End::Whole => None,
            End::Busy(_) => return self.agenda.wait_until(Instant::now() + BUSY),
            End::Locked(why) | End::Failed(why) => Some(why.clone()),
        };
        let (is_locked, had) = (matches!(looked.end, End::Locked(_)), self.status().last.as_ref());
        let news = trouble.clone().filter(|_| had.and_then(|last| last.trouble.as_ref()) != trouble.as_ref());
        let (at, seconds) = ((self.host.clock)(), self.now());
        let Notebook { memory, status, .. } = &mut self.notebook;
        status.looks += 1;
        let mut books = Books { memory, status, settings: &self.settings, writers: &self.watched.writers };
        let told = books.enter(&site.work.catalog, nodes, &looked, Now { text: &at, seconds });
        // Who looked at a few says nothing of others that wait.
        let waits = !status.drift.is_empty() || !status.held.is_empty();
        status.opens = self.settings.windows.opens(seconds).filter(|_| waits).map(time);
        let Looked { report, millis, notes, .. } = looked;
        let files = memory.breaker.busy().map(|id| PathBuf::from(id.name()));
        let files: BTreeSet<PathBuf> = files.filter(|path| path.is_absolute()).collect();
        self.watched.writers.mark(&files);
        self.watched.tell(&mut self.reporters, &mut self.notebook.status);
        let is_news = !told.is_empty() || news.is_some() || cause != Cause::Event;
        told.into_iter().for_each(|what| self.tell(what));
        notes.into_iter().for_each(|text| self.tell(What::Note { text }));
        if let Some(why) = news.filter(|_| !is_locked) {
            self.tell(What::Note { text: format!("the look did not come to its end: {why}") });
        }
        let status = &mut self.notebook.status;
        status.last = Some(Last { at, cause, report: report.clone(), millis, trouble, is_locked });
        status.next = Some(time(self.agenda.next()));
        if is_news {
            self.tell(What::Looked { cause, report, millis });
        }
    }
}
