//! Each diagnostic as the user sees it. A case is a directory of `tests/cases/diagnostics`: input files, and
//! `expected.txt`. An `input.toml` is compiled as a bare file; a `keel.toml` as a site, for its host `web1`; a `tests.toml` is a file of checks.
//! `UPDATE_EXPECTED=1` writes what comes out.

#[path = "../src/view/diagnostics.rs"]
mod diagnostics;

use dsl::{Disk, Entry, Request, TestsWanted, compile};
use model::{Facts, KindInfo, OsFacts};
use std::path::{Path, PathBuf};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/diagnostics")
}

fn rendered(case: &Path) -> String {
    let kinds: Vec<&dyn KindInfo> = agent::kinds::ALL.iter().map(|kind| *kind as &dyn KindInfo).collect();
    let os = OsFacts { id: "debian".into(), ..OsFacts::default() };
    let facts = Facts { hostname: "web1".into(), os, ..Facts::default() };
    let input = case.join("input.toml");
    let entry = match case.join("keel.toml").exists() {
        true => Entry::Site { root: case, host: Some("web1"), roles: &[] },
        false => Entry::File(&input),
    };
    let request = Request {
        entry,
        facts: &facts,
        sets: &[],
        library: &[],
        kinds: &kinds,
        loader: &Disk,
        unseal: &dsl::NoKeys,
        texts: &dsl::Texts::default(),
    };
    let tests = case.join("tests.toml");
    let wanted =
        TestsWanted { file: Some(&tests), subjects: agent::checks::SUBJECTS, faults: agent::drills::FAULTS };
    let compiled = match tests.exists() {
        true => dsl::tests(&request, &wanted).map(|found| found.warnings),
        false => compile(&request).map(|compiled| compiled.warnings),
    };
    let found = compiled.unwrap_or_else(|errors| errors);
    let text = diagnostics::render(&found, diagnostics::Color::Never);
    text.replace(&format!("{}/", case.display()), "")
}

#[test]
fn every_case_is_told_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut wrong = Vec::new();
    let mut dirs: Vec<PathBuf> =
        std::fs::read_dir(cases()).expect("cases").map(|entry| entry.expect("entry").path()).collect();
    dirs.sort();
    for case in dirs {
        let (found, file) = (rendered(&case), case.join("expected.txt"));
        if update {
            std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .open(&file)
                .and_then(|mut file| std::io::Write::write_all(&mut file, found.as_bytes()))
                .expect("write");
        } else if std::fs::read_to_string(&file).unwrap_or_default() != found {
            wrong.push(format!("== {}\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_panics_on_places_that_do_not_fit_the_text() {
    let span = |range| model::Span { file: "a".into(), text: "é\n".into(), range };
    let odd = [0..0, 1..1, 0..9, 3..3, 9..12].map(|range| model::Diagnostic::error("x", "m", span(range)));
    assert!(diagnostics::render(&odd, diagnostics::Color::Always).contains('m'));
}
