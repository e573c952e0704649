//! The keys common to all kinds: their documentation, and what their values mean. The one list of them.

use crate::source::Place;
use model::{Common, Diagnostic, Field, Merge, OnDrift, OnRemoval, Runtime, Taint};
use serde_json::Value as Json;

/// Name, what may stand there, and documentation of each common key.
const KEYS: &[(&str, &str, &str)] = &[
    (
        "require",
        "array of references",
        "Resources that come first, such as `[\"package.nginx\", \"module.users\"]`. Where one of them fails this one is skipped.",
    ),
    (
        "before",
        "array of references",
        "Resources that come after this one: `require` seen from the other side.",
    ),
    (
        "notify",
        "array of references",
        "Resources that come after this one and are refreshed (a service restarts, a `refresh_only` command runs) when this one changes.",
    ),
    (
        "subscribe",
        "array of references",
        "Resources that come first and whose changes refresh this one: `notify` seen from the other side.",
    ),
    (
        "when",
        "expression",
        "A CEL expression, such as `facts.os.id == 'debian' && inputs.tls`. Where it is false the resource does not exist on this host.",
    ),
    (
        "for_each",
        "expression, array or table",
        "One resource for each element; `each.key` and `each.value` may be used in its name and in every other key. Of an array the key is the element itself where that is a string, else its position.",
    ),
    (
        "auto",
        "boolean",
        "Whether needs are found by themselves (parent directory, owner, package of a service …). `true` unless said.",
    ),
    ("tags", "array of strings", "Labels for `--only` and `--skip`."),
    (
        "timeout",
        "duration",
        "Deadline for all steps of the resource, such as `\"30s\"`, `\"10m\"` or `\"1h\"`.",
    ),
    (
        "on_removal",
        "\"keep\" or \"remove\"",
        "What becomes of the thing when the resource leaves the catalog. It is kept, and shown as an orphan, unless said.",
    ),
    (
        "on_drift",
        "\"observe\" or \"correct\"",
        "What the agent of a host (`keel agent`) does where somebody else changed the thing: it reports that, or repairs it as well. As the agent is set unless said. `apply` brings it to its state either way.",
    ),
];

/// The keys that name other resources.
pub const RELATIONS: [&str; 4] = ["require", "before", "notify", "subscribe"];

/// Documentation of the common keys, in the form of that of a kind's own keys.
pub fn common_fields() -> Vec<Field> {
    let field = |(name, expects, doc): &(&str, &str, &str)| Field {
        name: (*name).to_owned(),
        doc: (*doc).to_owned(),
        expects: (*expects).to_owned(),
        required: false,
        default: match *name {
            "auto" => "true".to_owned(),
            "on_removal" => "\"keep\"".to_owned(),
            _ => String::new(),
        },
        merge: if RELATIONS.contains(name) || *name == "tags" { Merge::Union } else { Merge::Equal },
        taint: Taint::Never,
        runtime: Runtime::Plain,
    };
    KEYS.iter().map(field).collect()
}

/// True where `key` is common to all kinds.
pub fn is_common(key: &str) -> bool {
    KEYS.iter().any(|(name, _, _)| *name == key)
}

/// The names of the common keys.
pub fn names() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|(name, _, _)| *name)
}

/// A string or an array of strings; the error says what was expected.
pub fn strings(value: &Json) -> Result<Vec<String>, &'static str> {
    let one = |item: &Json| item.as_str().map(str::to_owned).ok_or("expected an array of strings");
    match value {
        Json::String(text) => Ok(vec![text.clone()]),
        Json::Array(items) => items.iter().map(one).collect(),
        _ => Err("expected a string or an array of strings"),
    }
}

/// The longest time that can be said, in seconds: eleven years, so that no sum of some is too long for a clock.
const LONGEST: u64 = 100_000 * 3600;

/// Reads `30s`, `10m` or `1h` as seconds.
pub fn duration(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    if !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|seconds| (1..=LONGEST).contains(seconds))
}

/// A secret stands in a common key.
pub fn no_secret(key: &str, place: &Place) -> Diagnostic {
    Diagnostic::error("secret-not-allowed", format!("a secret in `{key}`"), place.span())
        .help("this key is shown in plans: use another value")
}

/// Takes the value of one common key that the host needs; relations, `when` and `for_each` are not among them.
pub fn set(common: &mut Common, key: &str, value: &Json, place: &Place) -> Result<(), Diagnostic> {
    let wrong = |message: &str, help: &str| {
        Err(Diagnostic::error("bad-value", format!("`{key}`: {message}"), place.span()).help(help))
    };
    match (key, value) {
        ("tags", value) => match strings(value) {
            Ok(tags) => common.tags.extend(tags),
            Err(message) => return wrong(message, "write tags = [\"web\"]"),
        },
        ("timeout", Json::String(text)) => match duration(text) {
            Some(seconds) => common.timeout = Some(seconds),
            None => {
                return wrong("this is no duration", "write a whole number with s, m or h, such as \"30s\"");
            }
        },
        ("timeout", _) => {
            return wrong("expected a string", "write a duration with its unit, such as \"30s\"");
        }
        ("on_removal", Json::String(text)) if text == "keep" => common.on_removal = OnRemoval::Keep,
        ("on_removal", Json::String(text)) if text == "remove" => common.on_removal = OnRemoval::Remove,
        ("on_removal", _) => {
            return wrong("expected \"keep\" or \"remove\"", "leave it out to keep the thing");
        }
        ("on_drift", Json::String(text)) if text == "observe" => common.on_drift = Some(OnDrift::Observe),
        ("on_drift", Json::String(text)) if text == "correct" => common.on_drift = Some(OnDrift::Correct),
        ("on_drift", _) => {
            return wrong(
                "expected \"observe\" or \"correct\"",
                "leave it out to have it as the agent is set",
            );
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_have_a_unit() {
        let read =
            ["30s", "2m", "1h", "", "s", "5", "-1s", "0s", "1d", "1.5h", "+3s", "9é", "5000000000000000h"];
        let read: Vec<_> = read.map(duration).into();
        let none = [None; 10];
        assert_eq!(read, [[Some(30), Some(120), Some(3600)].as_slice(), &none].concat());
    }
}
