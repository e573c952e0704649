//! What subjects make of a host in memory: `tests/cases/checks/*.toml`, a `[[case]]` each with the `host`, the `check` and what it `says`.

use crate::host::Start;
use crate::scene::{look, said, spec};
use agent::checks::SUBJECTS;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::Path;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    host: Start,
    /// The subject and its keys.
    check: Map<String, Value>,
    says: String,
}

#[test]
fn every_case_is_seen_as_it_was_meant() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/checks");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for case in toml::from_str::<Cases>(&text).unwrap().case {
            let (subject, params) = case.check.iter().next().unwrap();
            let found = said(&look(&spec(subject, params.clone()), Some(&|| Arc::new(case.host.layer()))));
            if found != case.says {
                wrong.push(format!("{subject} {params}\n  wanted {}\n  found  {found}", case.says));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty() && count > 40, "{count} cases\n{}", wrong.join("\n"));
}

#[test]
fn every_subject_has_documented_keys_and_takes_its_short_form() {
    for subject in SUBJECTS {
        let fields = subject.fields();
        assert!(subject.doc().len() > 40, "{}", subject.name());
        assert!(fields.iter().any(|field| field.name == subject.short()), "{}", subject.name());
        for field in fields {
            assert!(field.doc.len() > 5, "{}.{}", subject.name(), field.name);
        }
        assert!(subject.example().contains("[check."), "{}", subject.name());
    }
}

#[test]
fn what_is_no_check_is_unknown_and_nothing_else() {
    for (subject, params, part) in [
        ("pott", serde_json::json!({}), "there is no check of a pott"),
        ("port", serde_json::json!({ "number": 0 }), "there is no port 0"),
        ("port", serde_json::json!({ "nummer": 1 }), "unknown field `nummer`"),
        ("file", serde_json::json!({ "path": "/x" }), "this can be looked at from the host alone"),
        ("http", serde_json::json!({ "url": "https://127.0.0.1:1/" }), ""),
    ] {
        let found = said(&look(&spec(subject, params), None));
        assert!(found != "passed" && found.contains(part), "{found}");
    }
}
