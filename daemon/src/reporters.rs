//! Who is told, as the settings say: all the ways of telling, as one. What each tells is its own business.

use crate::host::Host;
use crate::report::journald::Journald;
use crate::report::lines::Lines;
use crate::report::outbox::Outbox;
use crate::report::pagerduty::{self, Pager, PagerDuty};
use crate::report::prometheus::Prometheus;
use crate::report::syslog::{self, Sender, Syslog};
use crate::report::webhook::{self, Poster, Webhook};
use crate::report::{News, Reporter, Told, What, queue};
use crate::settings::Reports;
use crate::status::Status;
use crate::watch::wait::Wait;
use agent::session::Clock;
use agent::state::StateDir;
use model::Failure;
use std::time::Duration;

/// So long an agent that ends waits for what is on its way; what is not there by then is told by the next one.
pub const FAREWELL: Duration = Duration::from_secs(3);

/// So long one that only looks once does.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Who is told.
pub struct Reporters<'a> {
    all: Vec<Box<dyn Reporter>>,
    /// Who is told no more, and why something waits for him still: to be shown.
    left: Vec<(&'static str, Failure)>,
    host: String,
    clock: Clock<'a>,
}

impl<'a> Reporters<'a> {
    /// All that the settings want.
    ///
    /// # Errors
    /// What is kept for one of them cannot be read.
    pub fn open(settings: &Reports, host: &Host<'a>, wait: &Wait) -> Result<Self, Failure> {
        let all = open(settings, host, wait)?;
        Ok(Self { all, left: left(settings, &host.state), host: host.name.clone(), clock: host.clock })
    }

    /// Tells it to all of them, with the state that the agent is in by now. One that fails shows there.
    pub fn tell(&mut self, status: &mut Status, what: What) {
        self.tell_but(status, what, None);
    }

    /// Tells it to all but one, whom it is about.
    fn tell_but(&mut self, status: &mut Status, what: What, but: Option<&'static str>) {
        let (at, host, catalog) = ((self.clock)(), self.host.clone(), status.catalog.clone());
        let told = Told { at, host, catalog, what };
        for reporter in self.all.iter_mut().filter(|it| Some(it.name()) != but) {
            // One that fails is no reason for the others to.
            match reporter.tell(&told, status) {
                Ok(()) => drop(status.untold.remove(reporter.name())),
                Err(failure) => drop(status.untold.insert(reporter.name().to_owned(), failure.to_string())),
            }
        }
    }

    /// Hears of those who carry reports away from this host.
    pub fn mind(&mut self, status: &mut Status) {
        for (name, failure) in self.left.drain(..) {
            status.untold.insert(name.to_owned(), format!("what waited for it is not forgotten: {failure}"));
        }
        let mut news = Vec::new();
        for reporter in &mut self.all {
            let News { notes, trouble } = reporter.news();
            news.extend(notes.into_iter().map(|text| (reporter.name(), text)));
            match trouble {
                Some(Some(why)) => drop(status.untold.insert(reporter.name().to_owned(), why)),
                Some(None) => drop(status.untold.remove(reporter.name())),
                None => {}
            }
        }
        for (name, text) in news {
            self.tell_but(status, What::Note { text: format!("{name}: {text}") }, Some(name));
        }
    }

    /// Waits for what is on its way, so long.
    pub fn flush(&mut self, status: &mut Status, within: Duration) {
        self.all.iter_mut().for_each(|reporter| reporter.flush(within));
        self.mind(status);
    }
}

/// All that the settings want.
fn open(settings: &Reports, host: &Host<'_>, wait: &Wait) -> Result<Vec<Box<dyn Reporter>>, Failure> {
    let Host { state, outside, .. } = host;
    let mut all: Vec<Box<dyn Reporter>> = vec![Box::new(Lines::open(state, settings.keep, settings.days)?)];
    if settings.journal {
        all.push(Box::new(Journald));
    }
    if let Some(path) = &settings.prometheus {
        all.push(Box::new(Prometheus(path.clone())));
    }
    if let Some(webhook) = &settings.webhook {
        let poster = Poster::new(webhook, outside);
        all.push(Box::new(Outbox::open(state, Webhook::new(webhook), poster, wait.bell()?)?));
    }
    if let Some(pagerduty) = &settings.pagerduty {
        let (letters, pager) = (PagerDuty::new(pagerduty, state)?, Pager::new(pagerduty, outside));
        all.push(Box::new(Outbox::open(state, letters, pager, wait.bell()?)?));
    }
    if let Some(syslog) = &settings.syslog {
        let sender = Sender::new(syslog, outside);
        all.push(Box::new(Outbox::open(state, Syslog, sender, wait.bell()?)?));
    }
    Ok(all)
}

/// Has those whom the settings do not name told no more. One of whom that cannot be is no reason to tell the others nothing.
fn left(settings: &Reports, state: &StateDir) -> Vec<(&'static str, Failure)> {
    let nothing = || Ok(());
    let forgotten = [
        (webhook::NAME, settings.webhook.is_none().then(|| queue::forget(state, webhook::NAME, nothing))),
        (pagerduty::NAME, settings.pagerduty.is_none().then(|| pagerduty::forget(state))),
        (syslog::NAME, settings.syslog.is_none().then(|| queue::forget(state, syslog::NAME, nothing))),
    ];
    forgotten.into_iter().filter_map(|(name, forgotten)| Some((name, forgotten?.err()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Reporters, pagerduty, queue::Queue};
    use crate::host::Host;
    use crate::report::way::Outside;
    use crate::settings::Reports;
    use crate::status::Status;
    use crate::watch::wait::Wait;
    use agent::state::StateDir;

    #[test]
    fn that_what_waits_for_nobody_cannot_go_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        Queue::open(&state, pagerduty::NAME).unwrap().put("t", b"resolve").unwrap();
        // Nothing is renamed onto a directory that is not empty.
        state.make_folder("agent/pagerduty.state").unwrap();
        state.make_folder("agent/pagerduty.state/in the way").unwrap();
        let (name, machine_id) = ("h1".to_owned(), String::new());
        let outside = Outside::default();
        let host = Host { state, settings: None, name, machine_id, clock: &String::new, outside };
        let settings = Reports { journal: false, ..Reports::default() };
        let mut status = Status::default();
        let mut reporters = Reporters::open(&settings, &host, &Wait::new().unwrap()).unwrap();
        reporters.mind(&mut status);
        let why = &status.untold["pagerduty"];
        assert!(why.starts_with("what waited for it is not forgotten: replace "), "{why}");
        assert_eq!(status.untold.len(), 1);
    }
}
