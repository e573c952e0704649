//! What an event has to be, as far as that is published: what `event` puts is held against it by tests.

use serde_json::Value;

/// Of reference/events-v2/openapiv3.json (github.com/PagerDuty/api-schema, 5cd58ff2), "/enqueue", and of
/// <https://developer.pagerduty.com/docs/events-api-v2/send-change-events/> for "/change/enqueue".
const PUBLISHED: &str = include_str!("../../../../tests/cases/pagerduty/events-v2.json");

pub(super) fn check(target: &str, event: &Value) {
    let published: Value = serde_json::from_str(PUBLISHED).expect("it is JSON");
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
    if is("object") != value.is_object() && !schema["type"].is_null() || is("string") && !value.is_string() {
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
    found.extend(required.filter(|name| value.get(name).is_none()).map(|name| format!("{at} has no {name}")));
    for (name, inner) in value.as_object().filter(|_| schema["properties"].is_object()).into_iter().flatten()
    {
        match &schema["properties"][name] {
            Value::Null => found.push(format!("{at}.{name} is not in the schema")),
            schema => found.extend(self::wrong(schema, inner, &format!("{at}.{name}"))),
        }
    }
    found
}
