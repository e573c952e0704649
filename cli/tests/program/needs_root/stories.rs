//! What a person sees, as data. A case is a directory of `tests/cases/cli`: `site.toml`, perhaps files that are there `before`,
//! perhaps a `later.toml` that replaces the site after the first run; and `expected.txt`. Each is planned, applied twice,
//! with the later site planned and applied once more, and rolled back. `UPDATE_EXPECTED=1` writes what comes out.

use crate::scratch::Scratch;
use std::fs;
use std::path::{Path, PathBuf};

fn cases() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/cli");
    let entries = fs::read_dir(dir).expect("cases");
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    found.sort();
    found
}

fn told(case: &Path) -> String {
    let scratch = Scratch::of(&fs::read_to_string(case.join("site.toml")).expect("a site"));
    if let Ok(entries) = fs::read_dir(case.join("before")) {
        for entry in entries.map(|entry| entry.expect("an entry")) {
            fs::copy(entry.path(), scratch.host(&entry.file_name().to_string_lossy())).expect("copied");
        }
    }
    let mut text = String::new();
    let mut tell = |verb: &str, more: &[&str]| {
        let ran = scratch.keel(verb, more);
        let words = [&[verb], more].concat().join(" ");
        text.push_str(&format!("$ keel {words}\n{}{}(exit {})\n\n", ran.out, ran.err, ran.code));
    };
    tell("plan", &[]);
    tell("apply", &["--yes"]);
    tell("apply", &["--yes"]);
    if let Ok(later) = fs::read_to_string(case.join("later.toml")) {
        scratch.site(&later);
        tell("plan", &[]);
        tell("apply", &["--yes"]);
    }
    tell("rollback", &["--yes"]);
    let host = scratch.host("").display().to_string();
    let root = format!("{}/", scratch.root().display());
    text.replace(host.trim_end_matches('/'), "/host").replace(&root, "")
}

#[test]
fn every_case_is_told_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let (found, file) = (told(&case), case.join("expected.txt"));
        if update {
            fs::write(&file, &found).expect("written");
        } else if fs::read_to_string(&file).unwrap_or_default() != found {
            wrong.push(format!("== {}\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
