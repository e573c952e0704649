//! `PagerDuty`, by its Events API v2 (<https://developer.pagerduty.com/docs/events-api-v2/overview/>; the schema is
//! `reference/events-v2/openapiv3.json` of github.com/PagerDuty/api-schema): a host where something failed or drifted is one alert, which
//! the next even look resolves; a new catalog is a change event. What was said before is `said`, and `pager` posts.

use super::outbox::Letters;
use super::queue::Lost;
use super::said::Said;
use super::{Told, What};
use crate::receivers;
use crate::source::Bundle;
use crate::status::Status;
use agent::state::StateDir;
use model::Failure;
use serde_json::{Map, Value, json};

/// A summary is no longer, in characters ("Send an Event", `payload.summary`).
const SUMMARY: usize = 1024;
/// A `dedup_key` is no longer, in characters.
const DEDUP: usize = 255;
/// Texts among the details are no longer, in characters; an event is below 512 KB.
const DETAIL: usize = 1000;
/// So many resources are told of one sort, at most.
const MOST: usize = 50;

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

    fn change(
        &self,
        said: &mut Said,
        told: &Told,
        (resources, warnings): (usize, &[String]),
    ) -> Option<Value> {
        if said.catalog == told.catalog || !self.settings.changes {
            return None;
        }
        let before = std::mem::replace(&mut said.catalog, told.catalog.clone());
        let version = told.catalog.as_deref().unwrap_or("none");
        let summary = format!("{}: catalog {version} is in force, {resources} resources", told.host);
        let warnings: Vec<String> = warnings.iter().take(MOST).map(|text| cut(text, DETAIL)).collect();
        Some(json!({ "payload": {
            "summary": cut(&summary, SUMMARY),
            "timestamp": told.at,
            "source": told.host,
            "custom_details":
                { "catalog": version, "before": before, "resources": resources, "warnings": warnings },
        } }))
    }

    fn bundle(&self, said: &mut Said, told: &Told, bundle: &Bundle) -> Option<Value> {
        if said.bundle.as_ref() == Some(&bundle.sha256) || !self.settings.changes {
            return None;
        }
        said.bundle = Some(bundle.sha256.clone());
        let Bundle { site, counter, sha256, signer, from, .. } = bundle;
        let summary = format!("{}: bundle {counter} of {site} is in force, signed by {signer}", told.host);
        Some(json!({ "payload": {
            "summary": cut(&summary, SUMMARY),
            "timestamp": told.at,
            "source": told.host,
            "custom_details": {
                "site": site, "counter": counter, "sha256": sha256,
                "signer": cut(signer, DETAIL), "from": cut(from, DETAIL),
            },
        } }))
    }

    fn alert(&self, said: &mut Said, told: &Told, status: &Status) -> Option<Value> {
        // A host that people locked was not looked at: neither is said.
        if status.last.as_ref().is_some_and(|last| last.is_locked) && status.no_catalog.is_none() {
            return None;
        }
        let dedup_key = cut(&format!("evenkeel/{}", told.host), DEDUP);
        let found = details(status);
        if said.alert == found && !said.is_unsure {
            return None;
        }
        // What is open there by the same key is resolved by this, or goes on; where nothing is, nothing is opened by a `resolve`.
        said.is_unsure = false;
        said.alert.clone_from(&found);
        let Some(details) = found else {
            return Some(json!({ "event_action": "resolve", "dedup_key": dedup_key }));
        };
        let has_failed = ["failing", "no_catalog", "trouble"].iter().any(|name| details.get(name).is_some());
        let severity = if has_failed { self.settings.failed } else { self.settings.drifted };
        Some(json!({
            "event_action": "trigger",
            "dedup_key": dedup_key,
            "client": "Evenkeel",
            "payload": {
                "summary": cut(&summary(&told.host, status), SUMMARY),
                "timestamp": told.at,
                "severity": severity,
                "source": told.host,
                "component": "keel-agent",
                "class": if has_failed { "failed" } else { "drift" },
                "custom_details": details,
            },
        }))
    }
}

impl Letters for PagerDuty {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    fn letters(&mut self, told: &Told, status: &Status) -> Result<Vec<Vec<u8>>, Failure> {
        let mut said = self.said.clone();
        let (target, event) = match &told.what {
            What::Catalog { resources, warnings } => {
                ("/change/enqueue", self.change(&mut said, told, (*resources, warnings)))
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

/// What is wrong with a host; `None` where nothing is. What waits for somebody's word is not wrong.
fn details(status: &Status) -> Option<Value> {
    let mut all = Map::new();
    let mut put = |name: &str, found: Map<String, Value>| {
        if !found.is_empty() {
            all.insert(name.to_owned(), Value::Object(found.into_iter().take(MOST).collect()));
        }
    };
    let failing = status.failing.iter().map(|(id, why)| (id.to_string(), json!(cut(why, DETAIL))));
    put("failing", failing.collect());
    let drift = status.drift.iter().map(|(id, drift)| {
        let changes = cut(&drift.changes.join("\n"), DETAIL);
        (
            id.to_string(),
            json!({ "since": drift.since, "changes": changes, "left": cut(&drift.left, DETAIL) }),
        )
    });
    put("drift", drift.collect());
    let fights = status.fights.iter().map(|(id, fight)| (id.to_string(), json!(cut(&fight.other, DETAIL))));
    put("fights", fights.collect());
    let trouble = status.last.as_ref().filter(|last| !last.is_locked).and_then(|last| last.trouble.as_ref());
    for (name, why) in [("no_catalog", status.no_catalog.as_ref()), ("trouble", trouble)] {
        if let Some(why) = why {
            all.insert(name.to_owned(), json!(cut(why, DETAIL)));
        }
    }
    (!all.is_empty()).then_some(Value::Object(all))
}

fn summary(host: &str, status: &Status) -> String {
    let counts = [
        (status.failing.len(), "failed"),
        (status.drift.len(), "drifted"),
        (status.fights.len(), "fought over"),
        (usize::from(status.no_catalog.is_some()), "catalog cannot be had"),
        (usize::from(status.last.as_ref().is_some_and(|last| last.trouble.is_some())), "look had no end"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let ids = status.failing.keys().chain(status.drift.keys()).chain(status.fights.keys());
    let ids: Vec<String> = ids.take(5).map(ToString::to_string).collect();
    let ids = if ids.is_empty() { String::new() } else { format!(": {}", ids.join(", ")) };
    format!("{host}: {}{ids}", counts.join(", "))
}

/// The beginning of a text.
fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::PagerDuty;
    use crate::memory::Drift;
    use crate::report::outbox::Letters;
    use crate::report::pager::filled;
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

    /// What is published, as far as it says what an event has to be.
    mod schema {
        use serde_json::Value;

        /// Of reference/events-v2/openapiv3.json (github.com/PagerDuty/api-schema, 5cd58ff2), "/enqueue", and of
        /// <https://developer.pagerduty.com/docs/events-api-v2/send-change-events/> for "/change/enqueue".
        const PUBLISHED: &str = include_str!("../../../tests/cases/pagerduty/events-v2.json");

        pub fn check(target: &str, event: &Value) {
            let published: Value = serde_json::from_str(PUBLISHED).unwrap();
            let wrong = wrong(&published[target], event, "event");
            assert!(wrong.is_empty(), "{wrong:?}\n{event}");
            // In its words: "Required unless the event_type is trigger"; a payload is what a trigger is about.
            if target == "/enqueue" {
                let is_trigger = event["event_action"] == "trigger";
                assert!(event["dedup_key"].is_string() && event["payload"].is_object() == is_trigger);
            }
        }

        /// JSON Schema, as much of it as stands in there; a property that is not is a mistake too.
        fn wrong(schema: &Value, value: &Value, at: &str) -> Vec<String> {
            let mut found = Vec::new();
            let is = |name: &str| schema["type"] == name;
            if is("object") != value.is_object() && !schema["type"].is_null()
                || is("string") && !value.is_string()
            {
                found.push(format!("{at} is no {}", schema["type"]));
            }
            if let Some(all) = schema["enum"].as_array().filter(|all| !all.contains(value)) {
                found.push(format!("{at} is none of {all:?}"));
            }
            let length = value.as_str().map_or(0, |text| text.chars().count() as u64);
            if schema["maxLength"].as_u64().is_some_and(|most| length > most) {
                found.push(format!("{at} is too long: {length}"));
            }
            if schema["minLength"].as_u64().is_some_and(|least| length < least) {
                found.push(format!("{at} is too short: {length}"));
            }
            if schema["format"] == "date-time"
                && value.as_str().is_none_or(|it| it.parse::<jiff::Timestamp>().is_err())
            {
                found.push(format!("{at} is no time"));
            }
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            found.extend(
                required.filter(|name| value.get(name).is_none()).map(|name| format!("{at} has no {name}")),
            );
            for (name, inner) in
                value.as_object().filter(|_| schema["properties"].is_object()).into_iter().flatten()
            {
                match &schema["properties"][name] {
                    Value::Null => found.push(format!("{at}.{name} is not in the schema")),
                    schema => found.extend(self::wrong(schema, inner, &format!("{at}.{name}"))),
                }
            }
            found
        }
    }
}
