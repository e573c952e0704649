//! The corpus of malformed input through the compiler alone: no panic, no long wait, and every finding has a place. That
//! each case is refused is shown by the whole program, whose kinds are the real ones.

mod support;

use dsl::{Entry, Memory, Request};
use model::{Diagnostic, Facts, KindInfo};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn corpus(group: &str) -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/bad").join(group);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(&dir).expect("a group").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let case = |path: &PathBuf| (path.display().to_string(), std::fs::read(path).expect("a case"));
    paths.iter().map(case).collect()
}

fn compile(entry: Entry<'_>, files: &Memory) -> Option<Vec<Diagnostic>> {
    let kinds = support::kinds();
    let kinds: Vec<&dyn KindInfo> = kinds.iter().map(|kind| kind as &dyn KindInfo).collect();
    let facts = Facts { hostname: "web1".into(), ..Facts::default() };
    let request = Request {
        entry,
        facts: &facts,
        sets: &[],
        library: &[],
        kinds: &kinds,
        loader: files,
        unseal: &dsl::NoKeys,
        texts: &dsl::Texts::default(),
    };
    dsl::compile(&request).err()
}

/// Compiles each case of a group; those that compile, by name.
fn accepted(group: &str, run: impl Fn(Vec<u8>) -> Option<Vec<Diagnostic>>) -> Vec<String> {
    let mut accepted = Vec::new();
    for (name, bytes) in corpus(group) {
        let started = Instant::now();
        let found = run(bytes);
        assert!(started.elapsed() < Duration::from_secs(10), "{name} took {:?}", started.elapsed());
        let placed = |one: &Diagnostic| one.labels.first().is_some_and(|label| !label.span.file.is_empty());
        match found {
            Some(found) => assert!(!found.is_empty() && found.iter().all(placed), "{name}: {found:?}"),
            None => accepted.push(name),
        }
    }
    accepted
}

#[test]
fn malformed_resources_have_a_place() {
    let run = |bytes| compile(Entry::File(Path::new("a.toml")), &Memory::default().with("a.toml", bytes));
    let accepted = accepted("toml", run);
    // What only the real kinds can refuse.
    assert!(accepted.len() < 60, "{accepted:#?}");
}

#[test]
fn malformed_templates_are_refused_at_their_place() {
    let resources = "[file.\"/tmp/a\"]\ntemplate = \"t.hbs\"\n";
    let run = |bytes| {
        let files = Memory::default().with("a.toml", resources).with("t.hbs", bytes);
        let found = compile(Entry::File(Path::new("a.toml")), &files)?;
        assert!(found.iter().any(|one| &*one.labels[0].span.file == "t.hbs"), "{found:?}");
        Some(found)
    };
    assert_eq!(accepted("template", run), [""; 0]);
}

#[test]
fn malformed_inventories_are_refused() {
    let role =
        "[inputs.port]\ntype = \"integer\"\ndefault = 80\n[file.\"/tmp/a\"]\ncontent = \"{{inputs.port}}\"\n";
    let site =
        Memory::default().with("s/keel.toml", "[project]\nname = \"s\"\n").with("s/roles/web.toml", role);
    let run = |bytes| {
        let (root, files) = (Path::new("s"), site.clone().with("s/hosts.toml", bytes));
        let of_host =
            |host: &dsl::Host| compile(Entry::Site { root, host: Some(&host.name), roles: &[] }, &files);
        let found = match dsl::hosts(root, &files) {
            Ok(hosts) => hosts.iter().find_map(of_host)?,
            Err(found) => found,
        };
        assert!(found.iter().any(|one| &*one.labels[0].span.file == "s/hosts.toml"), "{found:?}");
        Some(found)
    };
    assert_eq!(accepted("inventory", run), [""; 0]);
}
