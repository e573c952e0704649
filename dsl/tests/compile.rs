//! The compiler as a whole: small texts in, ids, edges and params out.

mod support;

use dsl::{Compiled, Entry, Memory, Request, compile};
use model::{Catalog, Diagnostic, Facts, KindInfo};
use serde_json::json;
use std::path::{Path, PathBuf};
use support::kinds;

fn run(entry: Entry<'_>, files: &Memory, sets: &[(&str, &str)]) -> Result<Compiled, Vec<Diagnostic>> {
    let kinds = kinds();
    let kinds: Vec<&dyn KindInfo> = kinds.iter().map(|kind| kind as &dyn KindInfo).collect();
    let sets: Vec<(String, String)> =
        sets.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let facts = Facts { hostname: "box".into(), ..Facts::default() };
    let library = [PathBuf::from("lib")];
    compile(&Request {
        entry,
        facts: &facts,
        sets: &sets,
        library: &library,
        kinds: &kinds,
        loader: files,
        unseal: &dsl::NoKeys,
        texts: &dsl::Texts::default(),
    })
}

fn file(text: &str) -> Result<Compiled, Vec<Diagnostic>> {
    run(Entry::File(Path::new("a.toml")), &Memory::default().with("a.toml", text), &[])
}

fn ids(catalog: &Catalog) -> Vec<String> {
    catalog.nodes().iter().map(|node| node.id.to_string()).collect()
}

fn edges(catalog: &Catalog) -> Vec<String> {
    let name = |at: usize| catalog.nodes()[at].id.to_string();
    let edge = |edge: &model::Edge| format!("{} -> {} ({})", name(edge.from), name(edge.to), edge.because);
    catalog.edges().iter().map(edge).collect()
}

#[track_caller]
fn codes(result: Result<Compiled, Vec<Diagnostic>>) -> Vec<String> {
    let found = result.err().unwrap_or_default();
    found.iter().map(|one| format!("{} {}", one.code, one.labels[0].span.origin())).collect()
}

#[test]
fn automatic_edges_come_from_paths_owners_and_packages() {
    let text = "[file.\"/srv/www/a\"]\nowner = \"web\"\n[directory.\"/srv\"]\n[user.web]\n[service.nginx]\n[package.nginx]\n";
    let compiled = file(text).expect("compiles");
    assert_eq!(
        ids(&compiled.catalog),
        ["directory./srv", "user.web", "file./srv/www/a", "package.nginx", "service.nginx"]
    );
    assert_eq!(
        edges(&compiled.catalog),
        [
            "directory./srv -> file./srv/www/a (auto: path /srv)",
            "user.web -> file./srv/www/a (auto: user web)",
            "package.nginx -> service.nginx (auto: package nginx)",
        ]
    );
}

#[test]
fn what_is_mounted_comes_before_what_lies_there() {
    let text = "[file.\"/srv/a/b/c\"]\n[directory.\"/srv/a\"]\n[mount.\"/srv/a/b\"]\n[mount.\"/srv/a\"]\n[directory.\"/srv\"]\n[mount.\"/\"]\n";
    let compiled = file(text).expect("compiles");
    let mut found = edges(&compiled.catalog);
    found.sort();
    assert_eq!(
        found,
        [
            "directory./srv -> directory./srv/a (auto: path /srv)",
            "directory./srv -> mount./srv/a (auto: path /srv)",
            "directory./srv/a -> file./srv/a/b/c (auto: path /srv/a)",
            "directory./srv/a -> mount./srv/a/b (auto: path /srv/a)",
            "mount./srv/a -> directory./srv/a (auto: mount at /srv/a)",
            "mount./srv/a -> mount./srv/a/b (auto: mount at /srv/a)",
            "mount./srv/a/b -> file./srv/a/b/c (auto: mount at /srv/a/b)",
        ]
    );
}

#[test]
fn what_lies_in_a_mount_that_goes_goes_first_and_its_place_last() {
    let gone = |resource: &str| format!("[{resource}]\nensure = \"absent\"\n");
    let text = ["directory.\"/srv/a\"", "mount.\"/srv/a\"", "file.\"/srv/a/b\""].map(gone).concat();
    let compiled = file(&text).expect("compiles");
    assert_eq!(ids(&compiled.catalog), ["file./srv/a/b", "mount./srv/a", "directory./srv/a"]);
}

#[test]
fn the_source_of_a_sensitive_resource_is_no_blob() {
    let text = "[file.\"/a\"]\nsource = \"key\"\nsensitive = true\n";
    let files = Memory::default().with("a.toml", text).with("key", b"\xffhunter2".to_vec());
    let compiled = run(Entry::File(Path::new("a.toml")), &files, &[]).expect("compiles");
    assert_eq!(compiled.catalog.nodes()[0].params["content"], json!({ "$secret": "file./a#content" }));
    assert!(compiled.blobs.is_empty());
    assert_eq!(compiled.secrets.values().next().expect("one").expose(), b"\xffhunter2");
}

#[test]
fn a_purge_is_told_what_others_own_below() {
    let text = "[directory.\"/a\"]\npurge = true\n[file.\"/a/b\"]\n[file.\"/a/c\"]\nensure = \"absent\"\n[file.\"/ab\"]\n";
    let compiled = file(text).expect("compiles");
    let params = |at: usize| &compiled.catalog.nodes()[at].params;
    assert_eq!(compiled.catalog.nodes()[0].id.to_string(), "directory./a");
    assert_eq!(params(0), &json!({ "purge": ["/a/b"] }));
}

#[test]
fn what_is_removed_goes_before_what_holds_it() {
    let text = "[directory.\"/srv\"]\nensure = \"absent\"\n[file.\"/srv/a\"]\nensure = \"absent\"\n";
    assert_eq!(ids(&file(text).expect("compiles").catalog), ["file./srv/a", "directory./srv"]);
}

#[test]
fn for_each_makes_one_resource_for_each_element() {
    let text = "[user.\"{{ each.key }}\"]\nfor_each = ['ann', 'bob']\n\
        [file.\"/home/{{ each.key }}/x\"]\nfor_each = \"['ann']\"\nowner = \"{{ each.value }}\"\nrequire = [\"user.{{ each.key }}\"]\n\
        [exec.all]\ncommand = \"x\"\nrequire = \"user.{{ each.key }}\"\n";
    let compiled = file(text).expect("compiles");
    assert_eq!(ids(&compiled.catalog), ["user.ann", "user.bob", "file./home/ann/x", "exec.all"]);
    let wanted = [
        "user.ann -> file./home/ann/x (a.toml:6:12)",
        "user.ann -> exec.all (a.toml:9:11)",
        "user.bob -> exec.all (a.toml:9:11)",
    ];
    let mut found = edges(&compiled.catalog);
    found.sort();
    assert_eq!(found, [wanted[1], wanted[0], wanted[2]]);
}

#[test]
fn what_is_switched_off_is_no_dangling_reference() {
    let text = "[package.a]\nwhen = \"facts.hostname == 'other'\"\n[package.b]\nrequire = [\"package.a\"]\n";
    assert_eq!(ids(&file(text).expect("compiles").catalog), ["package.b"]);
}

#[test]
fn a_string_that_is_one_path_keeps_the_type() {
    let text =
        "[inputs.flag]\ntype = \"bool\"\ndefault = true\n[service.a]\nrunning = \"{{ inputs.flag }}\"\n";
    let compiled = file(text).expect("compiles");
    assert_eq!(compiled.catalog.nodes()[0].params, json!({ "running": true }));
}

#[test]
fn secrets_leave_only_references() {
    let text = "[inputs.token]\ntype = \"secret\"\ndefault = \"hunter2\"\n\
        [file.\"/a\"]\ncontent = \"t={{ inputs.token }}\"\nmode = \"0600\"\n[user.ann]\npassword_hash = \"$6$x\"\n";
    let compiled = file(text).expect("compiles");
    let shown = serde_json::to_string(&compiled.catalog).expect("JSON");
    assert!(!shown.contains("hunter2") && !shown.contains("$6$x"), "{shown}");
    assert_eq!(compiled.catalog.nodes()[0].params["content"], json!({ "$secret": "file./a#content" }));
    let bytes: Vec<_> =
        compiled.secrets.values().map(|one| String::from_utf8_lossy(one.expose()).into_owned()).collect();
    assert_eq!(bytes, ["t=hunter2", "$6$x"]);
}

#[test]
fn a_secret_in_a_name_is_refused_and_its_line_blanked() {
    let text = "[inputs.t]\ntype = \"secret\"\ndefault = \"hunter2\"\n[file.\"/{{ inputs.t }}\"]\n";
    let found = file(text).expect_err("refused");
    assert_eq!(found.iter().map(|one| one.code).collect::<Vec<_>>(), ["secret-not-allowed"]);
    assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
}

#[test]
fn errors_are_collected_without_cascades() {
    let text = "[pakage.a]\n[file.\"/x\"]\ncontnet = \"\"\nmode = 644\n[package.b]\nrequire = [\"package.c\", \"file./x\"]\ntimeout = \"5\"\n";
    assert_eq!(
        codes(file(text)),
        [
            "unknown-kind a.toml:1:2",
            "unknown-key a.toml:3:1",
            "bad-value a.toml:4:8",
            "dangling-reference a.toml:6:12",
            "bad-value a.toml:7:11"
        ]
    );
}

fn site() -> Memory {
    Memory::default()
        .with("s/keel.toml", "[project]\nname = \"s\"\nkeep_runs = 7\nkeep_days = 30\n")
        .with("s/hosts.toml", "[host.web1]\ngroups = [\"prod\"]\n[group.prod]\nroles = [\"web\"]\n[group.prod.inputs.nginx]\nport = 81\n[host.web1.inputs.nginx]\nport = 82\n")
        .with("s/roles/web.toml", "[about]\ninclude = [\"base\"]\n[module.nginx]\nport = 80\nrequire = [\"package.curl\"]\n[file.\"/p\"]\ncontent = \"{{ modules.nginx.url }} {{ host.name }}\"\n")
        .with("lib/roles/base.toml", "[package.curl]\n")
        .with("s/modules/nginx/module.toml", "[inputs.port]\ntype = \"int\"\ndefault = 8080\n[outputs]\nurl = \"http://x:{{ inputs.port }}\"\n[package.nginx]\nnotify = [\"exec.reload\"]\n[exec.reload]\ncommand = \"p{{ inputs.port }}\"\n")
}

fn web1() -> Entry<'static> {
    Entry::Site { root: Path::new("s"), host: Some("web1"), roles: &[] }
}

#[test]
fn a_host_gets_its_roles_modules_and_layers() {
    let compiled = run(web1(), &site(), &[]).expect("compiles");
    assert_eq!(
        (compiled.project.as_deref(), compiled.keep.runs, compiled.keep.days),
        (Some("s"), Some(7), Some(30))
    );
    assert_eq!(ids(&compiled.catalog), ["package.curl", "package.nginx", "exec.nginx/reload", "file./p"]);
    assert_eq!(compiled.catalog.nodes()[3].params["content"], json!("http://x:82 web1"));
    assert_eq!(
        edges(&compiled.catalog),
        [
            "package.curl -> package.nginx (s/roles/web.toml:5:12)",
            "package.curl -> exec.nginx/reload (s/roles/web.toml:5:12)",
            "package.nginx -> exec.nginx/reload (s/modules/nginx/module.toml:7:11)",
        ]
    );
}

#[test]
fn the_command_line_is_the_strongest_layer() {
    let compiled = run(web1(), &site(), &[("nginx.port", "83")]).expect("compiles");
    assert_eq!(compiled.catalog.nodes()[2].params["command"], json!("p83"));
}
