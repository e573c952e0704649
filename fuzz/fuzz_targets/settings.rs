//! Any bytes as the settings of an agent, or as a file of tests; the first byte says which. It must not panic, and must be told in words, at a
//! place that is in the text, where it is refused. Touches no file and no host.
#![no_main]

#[path = "../../cli/src/view/diagnostics.rs"]
mod diagnostics;

use dsl::{Entry, Memory, Request, TestsWanted};
use libfuzzer_sys::fuzz_target;
use model::{Diagnostic, Facts, KindInfo, SubjectInfo};
use std::path::Path;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    match first % 2 {
        0 => settings(rest),
        _ => tests(rest),
    }
});

fn shown(found: &[Diagnostic]) {
    for label in found.iter().flat_map(|diagnostic| &diagnostic.labels) {
        let (line, col) = label.span.line_col();
        assert!(line > 0 && col > 0);
        assert!(label.span.text.get(label.span.range.clone()).is_some(), "a span outside of its text");
    }
    let told = diagnostics::render(found, diagnostics::Color::Never);
    assert_eq!(told.is_empty(), found.is_empty());
}

fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match daemon::settings::read("agent.toml", text) {
        Err(found) => {
            assert!(!found.is_empty(), "refused without a word");
            shown(&found);
        }
        Ok(settings) => {
            let now = 1_800_000_000;
            assert!(settings.windows.is_open(now) || settings.windows.opens(now).is_none_or(|at| at > now));
        }
    }
}

fn tests(bytes: &[u8]) {
    let loader = Memory::default()
        .with("/s/keel.toml", "[project]\nname = \"s\"\n")
        .with("/s/roles/web.toml", "[file.\"/tmp/a\"]\ncontent = \"a\"\n")
        .with("/s/tests/a.toml", bytes);
    let kinds: Vec<&dyn KindInfo> = agent::kinds::ALL.iter().map(|kind| *kind as &dyn KindInfo).collect();
    let subjects: Vec<&dyn SubjectInfo> = agent::checks::SUBJECTS.to_vec();
    let faults: Vec<&dyn SubjectInfo> = agent::drills::FAULTS.to_vec();
    let (facts, roles) = (Facts { hostname: "h1".into(), ..Facts::default() }, ["web".to_owned()]);
    let request = Request {
        entry: Entry::Site { root: Path::new("/s"), host: None, roles: &roles },
        facts: &facts,
        sets: &[],
        library: &[],
        kinds: &kinds,
        loader: &loader,
        unseal: &dsl::NoKeys,
        texts: &dsl::Texts::default(),
    };
    match dsl::tests(&request, &TestsWanted { file: None, subjects: &subjects, faults: &faults }) {
        Ok(tests) => shown(&tests.warnings),
        Err(found) => {
            assert!(!found.is_empty(), "refused without a word");
            shown(&found);
        }
    }
}
