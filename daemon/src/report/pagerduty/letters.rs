//! What is told: a host where something failed or drifted is one alert, which the next even look resolves; a new catalog is a change event. How
//! that is put is `event`'s business, what was told before is `said`, and `pager` posts.

use super::event;
use super::said::Said;
use crate::receivers;
use crate::report::outbox::Letters;
use crate::report::queue::{self, Lost};
use crate::report::{Told, What};
use crate::source::Bundle;
use crate::status::Status;
use agent::state::StateDir;
use model::Failure;
use serde_json::Value;

/// What waits for it is in this folder.
pub const NAME: &str = "pagerduty";

/// It is not told any more. What waits goes, and where something does, nobody knows from then on whether an alert is open there.
///
/// # Errors
/// Something waits still, and what was told stays known.
pub fn forget(state: &StateDir) -> Result<(), Failure> {
    queue::forget(state, NAME, || Said { is_unsure: true, ..Said::default() }.write(state))
}

/// What is made of reports.
pub struct PagerDuty {
    settings: receivers::PagerDuty,
    state: StateDir,
    /// What waits in the queue, or was carried.
    said: Said,
    /// What was made last, and does not wait yet.
    next: Option<Said>,
    notes: Vec<String>,
}

impl PagerDuty {
    /// As the settings say, and what was said before.
    ///
    /// # Errors
    /// That cannot be read.
    pub fn new(settings: &receivers::PagerDuty, state: &StateDir) -> Result<Self, Failure> {
        let (said, damage) = Said::read(state)?;
        let (settings, state) = (settings.clone(), StateDir::new(state.root()));
        Ok(Self { settings, state, said, next: None, notes: damage.into_iter().collect() })
    }

    fn catalog(
        &self,
        said: &mut Said,
        told: &Told,
        (resources, warnings): (usize, &[String]),
    ) -> Option<Value> {
        if said.catalog == told.catalog || !self.settings.changes {
            return None;
        }
        let before = std::mem::replace(&mut said.catalog, told.catalog.clone());
        Some(event::catalog(told, before, (resources, warnings)))
    }

    fn bundle(&self, said: &mut Said, told: &Told, bundle: &Bundle) -> Option<Value> {
        if said.bundle.as_ref() == Some(&bundle.sha256) || !self.settings.changes {
            return None;
        }
        said.bundle = Some(bundle.sha256.clone());
        Some(event::bundle(told, bundle))
    }

    fn alert(&self, said: &mut Said, told: &Told, status: &Status) -> Option<Value> {
        // A host that people locked was not looked at: neither is said.
        if status.last.as_ref().is_some_and(|last| last.is_locked) && status.no_catalog.is_none() {
            return None;
        }
        let found = event::details(status);
        if said.alert == found && !said.is_unsure {
            return None;
        }
        // What is open there by the same key is resolved by this, or goes on; where nothing is, nothing is opened by a `resolve`.
        said.is_unsure = false;
        said.alert.clone_from(&found);
        let severities = (self.settings.failed, self.settings.drifted);
        Some(match found {
            None => event::resolve(told),
            Some(details) => event::trigger(told, status, details, severities),
        })
    }
}

impl Letters for PagerDuty {
    fn name(&self) -> &'static str {
        NAME
    }

    fn letters(&mut self, told: &Told, status: &Status) -> Result<Vec<Vec<u8>>, Failure> {
        let mut said = self.said.clone();
        let (target, event) = match &told.what {
            What::Catalog { resources, warnings } => {
                ("/change/enqueue", self.catalog(&mut said, told, (*resources, warnings)))
            }
            What::Bundle { bundle } => ("/change/enqueue", self.bundle(&mut said, told, bundle)),
            What::Looked { .. } | What::NoCatalog { .. } => ("/enqueue", self.alert(&mut said, told, status)),
            _ => return Ok(Vec::new()),
        };
        let Some(event) = event else { return Ok(Vec::new()) };
        self.next = Some(said);
        Ok(vec![format!("{target}\n{event}").into_bytes()])
    }

    fn are_put(&mut self) -> Result<(), Failure> {
        let Some(said) = self.next.take() else { return Ok(()) };
        said.write(&self.state)?;
        self.said = said;
        Ok(())
    }

    fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Of what is told there only the last word counts, and the oldest goes first.
    fn lost(&self, _: &Lost, _: &str, _: &str) -> Option<Vec<u8>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{PagerDuty, forget};
    use crate::memory::Drift;
    use crate::report::outbox::Letters;
    use crate::report::pagerduty::{pager::filled, schema};
    use crate::report::queue::Queue;
    use crate::report::{Cause, Told, What};
    use crate::settings::read;
    use crate::status::{Last, Status};
    use agent::state::StateDir;
    use model::{Id, Report};
    use serde_json::Value;

    struct World {
        _dir: tempfile::TempDir,
        state: StateDir,
    }

    fn world() -> World {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state"));
        state.make_folder("agent").unwrap();
        World { _dir: dir, state }
    }

    fn pager(world: &World) -> PagerDuty {
        let text = "[source]\nfile = \"/x\"\n[reports.pagerduty]\nrouting_key_file = \"/k\"\n";
        PagerDuty::new(&read("x", text).unwrap().reports.pagerduty.unwrap(), &world.state).unwrap()
    }

    /// The events of a report, with a key, and where they go.
    fn events(pager: &mut PagerDuty, what: What, status: &Status) -> Vec<(String, Value)> {
        let catalog = Some("abc".to_owned());
        let told = Told { at: "2026-01-02T00:00:00.123Z".into(), host: "h1".into(), catalog, what };
        let letters = pager.letters(&told, status).unwrap();
        pager.are_put().unwrap();
        assert!(letters.iter().all(|letter| !String::from_utf8_lossy(letter).contains("routing_key")));
        let filled = letters.iter().map(|letter| filled(letter, &[b'k'; 32]).unwrap());
        filled.map(|(target, body)| (target, serde_json::from_slice(&body).unwrap())).collect()
    }

    fn looked() -> What {
        What::Looked { cause: Cause::Event, report: Report::default(), millis: 1 }
    }

    fn drifted() -> Status {
        let drift =
            Drift { since: "s".into(), changes: vec!["mode: a -> b".into()], left: "observed".into() };
        Status { drift: [(Id::new("file", "/a"), drift)].into(), ..Status::default() }
    }

    #[test]
    fn a_host_is_one_alert_until_it_is_even() {
        let world = world();
        let mut failed = drifted();
        failed.failing.insert(Id::new("service", "x"), "no such unit".into());
        let mut actions = Vec::new();
        let even = Status::default();
        for status in [&even, &drifted(), &drifted(), &failed, &failed, &even, &even] {
            // A restart each time: what was said stays said.
            for (target, event) in events(&mut pager(&world), looked(), status) {
                assert_eq!((target.as_str(), &event["dedup_key"]), ("/enqueue", &"evenkeel/h1".into()));
                let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
                actions.push(format!(
                    "{} {}",
                    text(&event["event_action"]),
                    text(&event["payload"]["severity"])
                ));
            }
        }
        assert_eq!(actions, ["trigger warning", "trigger error", "resolve -"]);
    }

    #[test]
    fn a_catalog_is_a_change_once() {
        let world = world();
        let what = || What::Catalog { resources: 7, warnings: Vec::new() };
        let found = events(&mut pager(&world), what(), &Status::default());
        assert_eq!(found[0].0, "/change/enqueue");
        assert_eq!(found[0].1["payload"]["summary"], "h1: catalog abc is in force, 7 resources");
        assert!(events(&mut pager(&world), what(), &Status::default()).is_empty(), "after a restart");
    }

    #[test]
    fn where_it_is_not_known_what_was_said_nothing_stays_open() {
        let world = world();
        events(&mut pager(&world), looked(), &drifted());
        world.state.write("agent/pagerduty.state", b"{\"alert\": \x07").unwrap();
        let mut damaged = pager(&world);
        let notes = damaged.notes();
        assert!(notes.len() == 1 && notes[0].contains("is damaged"), "{notes:?}");
        let what = || What::Catalog { resources: 7, warnings: Vec::new() };
        assert_eq!(events(&mut damaged, what(), &Status::default()).len(), 1, "a catalog says nothing of it");
        let found = events(&mut pager(&world), looked(), &Status::default());
        let (action, key) = (&found[0].1["event_action"], &found[0].1["dedup_key"]);
        assert_eq!((action, key), (&"resolve".into(), &"evenkeel/h1".into()), "after a restart");
        assert!(pager(&world).notes().is_empty());
        assert!(events(&mut pager(&world), looked(), &Status::default()).is_empty(), "once");
        world.state.write("agent/pagerduty.state", b"").unwrap();
        let found = events(&mut pager(&world), looked(), &drifted());
        assert_eq!(found[0].1["event_action"], "trigger", "it drifted still");
    }

    #[test]
    fn who_is_told_again_is_told_what_he_may_have_missed() {
        let world = world();
        events(&mut pager(&world), looked(), &drifted());
        events(&mut pager(&world), looked(), &Status::default());
        forget(&world.state).unwrap();
        assert!(events(&mut pager(&world), looked(), &Status::default()).is_empty(), "nothing waited");
        Queue::open(&world.state, "pagerduty").unwrap().put("t", b"resolve").unwrap();
        forget(&world.state).unwrap();
        let found = events(&mut pager(&world), looked(), &Status::default());
        assert_eq!(found[0].1["event_action"], "resolve");
    }

    #[test]
    fn while_it_cannot_be_kept_that_an_alert_may_be_open_what_waits_stays() {
        let world = world();
        Queue::open(&world.state, "pagerduty").unwrap().put("t", b"resolve").unwrap();
        // Nothing is renamed onto a directory that is not empty.
        world.state.make_folder("agent/pagerduty.state").unwrap();
        world.state.make_folder("agent/pagerduty.state/in the way").unwrap();
        assert!(forget(&world.state).is_err());
        assert_eq!(Queue::open(&world.state, "pagerduty").unwrap().len(), 1, "for when it can");
    }

    #[test]
    fn what_could_not_be_put_is_made_again() {
        let world = world();
        let what = Told { at: "t".into(), host: "h1".into(), catalog: None, what: looked() };
        let mut pager = pager(&world);
        for _ in 0..2 {
            assert_eq!(pager.letters(&what, &drifted()).unwrap().len(), 1);
        }
        pager.are_put().unwrap();
        assert!(pager.letters(&what, &drifted()).unwrap().is_empty());
    }

    #[test]
    fn a_host_that_is_locked_is_neither_even_nor_not() {
        let (world, mut status) = (world(), Status::default());
        assert_eq!(events(&mut pager(&world), looked(), &drifted()).len(), 1);
        let trouble = Some("this host is locked".to_owned());
        let last = Last {
            at: "t".into(),
            cause: Cause::Event,
            report: Report::default(),
            millis: 1,
            trouble,
            is_locked: true,
        };
        status.last = Some(last.clone());
        assert!(events(&mut pager(&world), looked(), &status).is_empty());
        status.last = Some(Last { is_locked: false, ..last });
        assert_eq!(events(&mut pager(&world), looked(), &status)[0].1["payload"]["severity"], "error");
    }

    #[test]
    fn a_trigger_is_as_the_schema_has_it_however_much_there_is() {
        let (world, mut status) = (world(), drifted());
        for at in 0..2000 {
            status.failing.insert(Id::new("file", format!("/{at}")), "x".repeat(5000));
        }
        let found = events(&mut pager(&world), looked(), &status);
        schema::check(&found[0].0, &found[0].1);
        assert!(found[0].1.to_string().len() < 512_000);
        let even = events(&mut pager(&world), looked(), &Status::default());
        schema::check(&even[0].0, &even[0].1);
        let change = What::Catalog { resources: 1, warnings: vec!["w".into()] };
        let found = events(&mut pager(&world), change, &Status::default());
        schema::check(&found[0].0, &found[0].1);
    }
}
