//! How it is put: the events that are made of what the agent tells (<https://developer.pagerduty.com/docs/events-api-v2/overview/>; the schema is
//! `reference/events-v2/openapiv3.json` of github.com/PagerDuty/api-schema). Without the routing key, which `pager` puts in. Which of them are sent,
//! `letters` decides.

use crate::receivers::Severity;
use crate::report::Told;
use crate::source::Bundle;
use crate::status::Status;
use serde_json::{Map, Value, json};

/// A summary is no longer, in characters ("Send an Event", `payload.summary`).
const SUMMARY: usize = 1024;
/// A `dedup_key` is no longer, in characters.
const DEDUP: usize = 255;
/// Texts among the details are no longer, in characters; an event is below 512 KB.
const DETAIL: usize = 1000;
/// So many resources are told of one sort, at most.
const MOST: usize = 50;

/// A catalog is in force; `before` is the one that was told before.
pub(super) fn catalog(
    told: &Told,
    before: Option<String>,
    (resources, warnings): (usize, &[String]),
) -> Value {
    let version = told.catalog.as_deref().unwrap_or("none");
    let summary = format!("{}: catalog {version} is in force, {resources} resources", told.host);
    let warnings: Vec<String> = warnings.iter().take(MOST).map(|text| cut(text, DETAIL)).collect();
    let details =
        json!({ "catalog": version, "before": before, "resources": resources, "warnings": warnings });
    change(told, &summary, details)
}

/// A bundle is in force.
pub(super) fn bundle(told: &Told, bundle: &Bundle) -> Value {
    let Bundle { site, counter, sha256, signer, from, .. } = bundle;
    let summary = format!("{}: bundle {counter} of {site} is in force, signed by {signer}", told.host);
    let (signer, from) = (cut(signer, DETAIL), cut(from, DETAIL));
    let details =
        json!({ "site": site, "counter": counter, "sha256": sha256, "signer": signer, "from": from });
    change(told, &summary, details)
}

fn change(told: &Told, summary: &str, details: Value) -> Value {
    json!({ "payload": {
        "summary": cut(summary, SUMMARY),
        "timestamp": told.at,
        "source": told.host,
        "custom_details": details,
    } })
}

/// The host is even again.
pub(super) fn resolve(told: &Told) -> Value {
    json!({ "event_action": "resolve", "dedup_key": dedup_key(told) })
}

/// It is not, as `details` say; how bad is that where something failed, and where it only drifted?
pub(super) fn trigger(
    told: &Told,
    status: &Status,
    details: Value,
    (failed, drifted): (Severity, Severity),
) -> Value {
    let has_failed = ["failing", "no_catalog", "trouble"].iter().any(|name| details.get(name).is_some());
    json!({
        "event_action": "trigger",
        "dedup_key": dedup_key(told),
        "client": "Evenkeel",
        "payload": {
            "summary": cut(&summary(&told.host, status), SUMMARY),
            "timestamp": told.at,
            "severity": if has_failed { failed } else { drifted },
            "source": told.host,
            "component": "keel-agent",
            "class": if has_failed { "failed" } else { "drift" },
            "custom_details": details,
        },
    })
}

/// A host has one alert.
fn dedup_key(told: &Told) -> String {
    cut(&format!("evenkeel/{}", told.host), DEDUP)
}

/// What is wrong with a host; `None` where nothing is. What waits for somebody's word is not wrong.
pub(super) fn details(status: &Status) -> Option<Value> {
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
