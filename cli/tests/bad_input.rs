//! The corpus of malformed input through the program itself: each case ends in exit code 3 with a place on standard
//! error, without a panic, without a raw control character, and nothing is touched.
#![expect(clippy::disallowed_methods, reason = "runs the program and writes scratch files")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

const ROLE: &str =
    "[inputs.port]\ntype = \"integer\"\ndefault = 80\n[file.\"/tmp/a\"]\ncontent = \"{{inputs.port}}\"\n";

fn cases(group: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/bad").join(group);
    let entries = fs::read_dir(dir).expect("a group");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// Every path below `dir` with its size and time of change.
fn tree(dir: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        let meta = fs::symlink_metadata(&path).expect("a file");
        found.insert(path.clone(), (meta.len(), meta.modified().expect("a time")));
        if meta.is_dir() {
            found.extend(tree(&path));
        }
    }
    found
}

/// `keel validate` in `home`, with no environment but that.
fn validate(home: &Path, arguments: &[&str]) -> Output {
    let mut keel = Command::new(env!("CARGO_BIN_EXE_keel"));
    keel.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").current_dir(home);
    keel.arg("validate").args(arguments).output().expect("keel starts")
}

/// True where `text` holds `file:LINE:COL`.
fn has_place(text: &str, file: &str) -> bool {
    text.match_indices(file).any(|(at, _)| {
        let mut parts = text[at + file.len()..].split([':', '\n', ' ']);
        parts.next() == Some("")
            && parts.by_ref().take(2).all(|part| part.parse::<u32>().is_ok_and(|n| n > 0))
    })
}

/// What is wrong with how a case ended; nothing, if all is well.
fn complaints(output: &Output, file: &str) -> Vec<&'static str> {
    let said = String::from_utf8_lossy(&output.stderr);
    let raw = |c: char| {
        c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let checks = [
        (output.status.code() != Some(3), "exit code is not 3"),
        (said.contains("panicked"), "panicked"),
        (!has_place(&said, file), "no place"),
        (said.contains(raw), "a raw control character"),
        (!output.stdout.is_empty(), "says something on standard output"),
    ];
    checks.into_iter().filter(|(wrong, _)| *wrong).map(|(_, what)| what).collect()
}

/// Runs all cases of a group, each placed into the site by `place` and looked for at `file`.
fn check(group: &str, file: &str, arguments: &[&str]) {
    let home = tempfile::tempdir().expect("a directory");
    let site = |path: &str, text: &str| {
        let path = home.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    };
    site("keel.toml", "[project]\nname = \"site\"\n");
    site("roles/web.toml", ROLE);
    site("uses-template.toml", "[file.\"/tmp/a\"]\ntemplate = \"case.hbs\"\n");
    let mut wrong = Vec::new();
    for case in cases(group) {
        fs::copy(&case, home.path().join(file)).expect("a copy");
        let before = tree(home.path());
        let output = validate(home.path(), arguments);
        let mut found = complaints(&output, file);
        if tree(home.path()) != before {
            found.push("touched something");
        }
        if !found.is_empty() {
            let said = String::from_utf8_lossy(&output.stderr).chars().take(600).collect::<String>();
            wrong.push(format!("== {}: {}\n{said}", case.display(), found.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn malformed_resources_end_in_3_at_a_place() {
    check("toml", "case.toml", &["-f", "case.toml"]);
}

#[test]
fn malformed_templates_end_in_3_at_a_place() {
    check("template", "case.hbs", &["-f", "uses-template.toml"]);
}

#[test]
fn malformed_inventories_end_in_3_at_a_place() {
    check("inventory", "hosts.toml", &["web1"]);
}
