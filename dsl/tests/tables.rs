//! Inputs that hold tables: checked key by key, completed, and secret only where a key is.

mod support;

use dsl::{Compiled, Entry, Memory, Request, compile};
use model::{Diagnostic, Facts, KindInfo};
use serde_json::json;
use std::path::Path;

const DECLARED: &str = r#"
[inputs.users]
type = "map(table)"
default = {}
[inputs.users.fields.owner]
type = "string"
[inputs.users.fields.mode]
type = "string"
default = "0644"
choices = ["0644", "0600"]
[inputs.users.fields.hash]
type = "secret"
optional = true
[user."{{ each.key }}"]
for_each = "inputs.users"
password_hash = "{{ each.value.hash }}"
groups = ["{{ each.value.owner }}", "{{ each.value.mode }}"]
"#;

fn run(users: &str) -> Result<Compiled, Vec<Diagnostic>> {
    let text = DECLARED.replace("default = {}", &format!("default = {users}"));
    let files = Memory::default().with("a.toml", text);
    let kinds = support::kinds();
    let kinds: Vec<&dyn KindInfo> = kinds.iter().map(|kind| kind as &dyn KindInfo).collect();
    let (entry, facts) = (Entry::File(Path::new("a.toml")), Facts::default());
    compile(&Request {
        entry,
        facts: &facts,
        sets: &[],
        library: &[],
        kinds: &kinds,
        loader: &files,
        unseal: &dsl::NoKeys,
        texts: &dsl::Texts::default(),
    })
}

#[track_caller]
fn fails(users: &str, message: &str, help: Option<&str>) {
    let found = run(users).expect_err(users);
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.message.as_str(), one.help.as_deref()), (message, help));
}

#[test]
fn what_is_left_out_is_a_default_or_as_if_the_key_were_not_there() {
    let compiled = run(r#"{ ann = { owner = "root" } }"#).expect("compiles");
    assert_eq!(compiled.catalog.nodes()[0].params, json!({ "groups": ["root", "0644"] }));
}

#[test]
fn keys_are_checked_one_by_one() {
    fails(
        r#"{ ann = { owner = "a", mod = "0600" } }"#,
        "input `users.ann.mod` is no key here",
        Some("did you mean `mode`?"),
    );
    fails("{ ann = {} }", "input `users.ann` lacks the key `owner`", Some("add owner = …: string"));
    fails("{ ann = { owner = 5 } }", "input `users.ann.owner` expected string, found an integer", None);
    fails(
        r#"{ ann = { owner = "a", mode = "0666" } }"#,
        "input `users.ann.mode` must be one of \"0644\", \"0600\"",
        None,
    );
}

#[test]
fn only_the_secret_key_of_a_table_is_secret() {
    let compiled = run(r#"{ ann = { owner = "root", hash = "$6$x" } }"#).expect("compiles");
    let shown =
        json!({ "groups": ["root", "0644"], "password_hash": { "$secret": "user.ann#password_hash" } });
    assert_eq!(compiled.catalog.nodes()[0].params, shown);
}

#[test]
fn no_line_of_a_diagnostic_shows_the_secret_of_a_table() {
    let found = run(r#"{ ann = { owner = 5, hash = "hunter2" } }"#).expect_err("owner is no string");
    assert!(!found.is_empty() && !format!("{found:?}").contains("hunter2"), "{found:?}");
}

#[test]
fn a_table_says_which_keys_it_has() {
    let text = "[inputs.a]\ntype = \"table\"\n[inputs.b]\ntype = \"int\"\n[inputs.b.fields.c]\ntype = \"int\"\n\
        [inputs.d]\ntype = \"table\"\n[inputs.d.fields.e]\ntype = \"int\"\ndefault = \"x\"\n";
    let files = Memory::default().with("a.toml", text);
    let (entry, facts) = (Entry::File(Path::new("a.toml")), Facts::default());
    let request = Request {
        entry,
        facts: &facts,
        sets: &[],
        library: &[],
        kinds: &[],
        loader: &files,
        unseal: &dsl::NoKeys,
        texts: &dsl::Texts::default(),
    };
    let found = compile(&request).expect_err("wrong");
    let found: Vec<String> =
        found.iter().map(|one| format!("{} {}", one.labels[0].span.origin(), one.message)).collect();
    let wanted = [
        "a.toml:1:9 `inputs.a` has no `fields`",
        "a.toml:5:11 `inputs.b` has `fields`, and there is no table in its type",
        "a.toml:11:11 the default of `e` expected int, found a string",
    ];
    assert!(wanted.iter().all(|one| found.iter().any(|it| it == one)), "{found:#?}");
}
