//! The library and the examples: all of it compiles, without a warning, and every input says what it is for.
#![expect(clippy::disallowed_methods, reason = "writes scratch files")]

use dsl::{Disk, Entry, Request, compile, hosts, manual};
use model::{Facts, KindInfo, OsFacts};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above");
    root.to_path_buf()
}

fn facts() -> Facts {
    let os = OsFacts { id: "debian".into(), version: "12".into(), ..OsFacts::default() };
    Facts { hostname: "host".into(), os, cpus: 2, memory_mib: 2048, ..Facts::default() }
}

fn kinds() -> Vec<&'static dyn KindInfo> {
    agent::kinds::ALL.iter().map(|kind| *kind as &dyn KindInfo).collect()
}

/// What is wrong with an entry, as text; nothing where it compiles to something without a warning.
fn wrong(entry: Entry<'_>) -> Option<String> {
    wrong_in(&root().join("examples/site"), entry)
}

/// The same with the modules and roles of a site besides the library's.
fn wrong_in(site: &Path, entry: Entry<'_>) -> Option<String> {
    let kinds = kinds();
    let (facts, library) = (facts(), [root(), site.to_path_buf()]);
    let request = Request {
        entry,
        facts: &facts,
        sets: &[],
        library: &library,
        kinds: &kinds,
        loader: &Disk,
        unseal: &dsl::NoKeys,
        texts: &dsl::Texts::default(),
    };
    let found = match compile(&request) {
        Ok(compiled) if compiled.catalog.nodes().is_empty() => return Some("it has no resources".to_owned()),
        Ok(compiled) => compiled.warnings,
        Err(errors) => errors,
    };
    let one = |one: &model::Diagnostic| {
        let place = one.labels.first().map(|label| label.span.origin().to_string()).unwrap_or_default();
        format!("{place}: {} ({})", one.message, one.help.clone().unwrap_or_default())
    };
    (!found.is_empty()).then(|| found.iter().map(one).collect::<Vec<_>>().join("\n"))
}

#[track_caller]
fn assert_compiles(entries: &[Entry<'_>]) {
    assert!(!entries.is_empty(), "there is nothing to compile");
    let found: Vec<String> =
        entries.iter().filter_map(|entry| wrong(*entry).map(|wrong| format!("{entry:?}\n{wrong}"))).collect();
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

/// All files below a directory whose name fits, sorted.
fn files(dir: &Path, fits: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("the directory is there") {
        let entry = entry.expect("an entry").path();
        let name = entry.file_name().and_then(|name| name.to_str()).expect("a plain name");
        if entry.is_dir() {
            found.extend(files(&entry, fits));
        } else if fits(name) {
            found.push(entry);
        }
    }
    found.sort();
    found
}

#[test]
fn every_module_has_an_example_and_it_compiles() {
    let named = |wanted: &'static str| {
        let dirs = [root().join("modules"), root().join("examples/site/modules")];
        dirs.map(|dir| files(&dir, &|name| name == wanted)).concat()
    };
    let examples = named("example.toml");
    assert_eq!(examples.len(), named("module.toml").len());
    assert_compiles(&examples.iter().map(|path| Entry::File(path)).collect::<Vec<_>>());
}

#[test]
fn every_role_compiles() {
    let site = root().join("examples/site");
    let roles = files(&root().join("roles"), &|name| name.ends_with(".toml"));
    let names: Vec<_> =
        roles.iter().map(|path| [path.file_stem().expect("a name").to_string_lossy().into()]).collect();
    let entries: Vec<_> = names.iter().map(|roles| Entry::Site { root: &site, host: None, roles }).collect();
    assert_compiles(&entries);
}

#[test]
fn every_host_of_an_example_compiles() {
    for file in files(&root().join("examples"), &|name| name == "keel.toml") {
        let site = file.parent().expect("a directory");
        let hosts = hosts(site, &Disk).expect("the inventory is right");
        let entry = |host| Entry::Site { root: site, host: Some(host), roles: &[] };
        assert_compiles(&hosts.iter().map(|host| entry(&*host.name)).collect::<Vec<_>>());
    }
}

#[test]
fn every_example_of_one_file_compiles() {
    let sites = files(&root().join("examples"), &|name| name == "site.toml");
    assert_compiles(&sites.iter().map(|path| Entry::File(path)).collect::<Vec<_>>());
}

#[test]
fn every_example_of_a_kind_compiles() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let write = |kind: &&dyn agent::kind::Described| {
        let path = dir.join(format!("{}.toml", kind.name()));
        std::fs::write(&path, kind.example()).expect("written");
        path
    };
    let paths: Vec<PathBuf> = agent::kinds::ALL.iter().map(write).collect();
    assert_compiles(&paths.iter().map(|path| Entry::File(path)).collect::<Vec<_>>());
}

/// What is wrong with a file of checks.
fn wrong_checks(path: &Path) -> Vec<model::Diagnostic> {
    let (kinds, facts) = (kinds(), facts());
    let request = Request {
        entry: Entry::File(path),
        facts: &facts,
        sets: &[],
        library: &[],
        kinds: &kinds,
        loader: &Disk,
        unseal: &dsl::NoKeys,
        texts: &dsl::Texts::default(),
    };
    let wanted = dsl::TestsWanted {
        file: Some(path),
        subjects: agent::checks::SUBJECTS,
        faults: agent::drills::FAULTS,
    };
    dsl::tests(&request, &wanted).err().unwrap_or_default()
}

#[test]
fn every_example_of_a_check_compiles() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for subject in agent::checks::SUBJECTS {
        let path = dir.join(format!("check-{}.toml", subject.name()));
        std::fs::write(&path, subject.example()).expect("written");
        let wrong = wrong_checks(&path);
        assert!(wrong.is_empty(), "{}: {wrong:?}", subject.name());
    }
}

#[test]
fn every_example_of_a_drill_compiles() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for fault in agent::drills::FAULTS {
        let path = dir.join(format!("drill-{}.toml", fault.name()));
        // What a drill is seen by is a check beside it.
        std::fs::write(&path, fault.example()).expect("written");
        let wrong = wrong_checks(&path);
        assert!(wrong.is_empty(), "{}: {wrong:?}", fault.name());
        assert!(fault.doc().len() > 40 && fault.fields().iter().any(|field| field.name == fault.short()));
    }
}

#[test]
fn every_module_role_and_input_says_what_it_is_for() {
    let (is_module, is_role) = (|name: &str| name == "module.toml", |name: &str| name.ends_with(".toml"));
    let kinds = kinds();
    for file in [files(&root().join("modules"), &is_module), files(&root().join("roles"), &is_role)].concat()
    {
        let unit = manual(&file, &kinds, &Disk).expect("it is right").expect("it is there");
        assert!(unit.doc.ends_with('.'), "{} has no about.doc", file.display());
        let silent: Vec<_> = unit.inputs.iter().filter(|input| !input.doc.ends_with('.')).collect();
        assert!(silent.is_empty(), "{}: {silent:?}", file.display());
    }
}

/// The blocks of a guide, in order: language and text.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let parts = text.split("\n```").skip(1).step_by(2);
    parts.filter_map(|block| block.split_once('\n')).collect()
}

/// A block whose first line is a comment with a path is that file; every other one is compiled as it stands.
#[test]
fn what_a_guide_shows_compiles() {
    for guide in files(&root().join("docs/guide"), &|name| name.ends_with(".md")) {
        let dir = tempfile::tempdir().expect("a directory");
        let text = std::fs::read_to_string(&guide).expect("readable");
        let mut entries = Vec::new();
        for (at, (language, text)) in blocks(&text).into_iter().enumerate() {
            let named = text.strip_prefix("# ").and_then(|rest| rest.lines().next());
            let named = named.filter(|name| name.contains('/') && !name.contains(' '));
            let path = dir.path().join(named.map_or(format!("{at}.toml"), str::to_owned));
            if named.is_some() || language == "toml" {
                std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
                std::fs::write(&path, text).expect("written");
            }
            let is_of_tests = path.parent().is_some_and(|dir| dir.ends_with("tests"));
            // Those of modules name their inputs, those of sites their hosts.
            if is_of_tests && !text.contains("inputs.") && !text.contains("host.") {
                let wrong = wrong_checks(&path);
                assert!(wrong.is_empty(), "{}: {wrong:?}", guide.display());
            }
            let is_entry = language == "toml" && !path.ends_with("module.toml") && !is_of_tests;
            entries.extend(is_entry.then_some(path));
        }
        let wrong: Vec<_> =
            entries.iter().filter_map(|path| wrong_in(dir.path(), Entry::File(path))).collect();
        assert!(wrong.is_empty(), "{}: {}", guide.display(), wrong.join("\n"));
    }
}
