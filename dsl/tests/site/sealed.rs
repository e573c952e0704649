//! Secrets at rest, named in place of a value: which one holds, what is opened, and what is told of one that cannot be had.

use crate::run::{Site, site};

const ROLE: &str = "[inputs.pw]\ntype = \"secret\"\n[file.\"/a\"]\ncontent = \"{{ inputs.pw }}\"\n";

/// A role with an input `pw`, which the host gives; three secrets, of which one can be opened.
fn given(value: &str) -> Site {
    let host = "[host.web1]\nroles = [\"web\"]\n[host.web1.inputs.web]\n";
    site(ROLE)
        .with("s/hosts.toml", format!("{host}{value}\n"))
        .with("s/secrets/db.age", "open hunter2")
        .with("s/secrets/db_old.age", "sealed")
        .with("s/secrets/binary.age", b"open \xff".to_vec())
        .with("s/secrets/later.age", "later x")
}

/// The one secret that went into the catalog of `web1`.
#[track_caller]
fn secret(site: &Site) -> String {
    let compiled = site.run().expect("compiles");
    let catalog = serde_json::to_string(&compiled.catalog).expect("JSON");
    let values: Vec<_> = compiled.secrets.values().collect();
    assert_eq!(values.len(), 1, "{catalog}");
    let text = String::from_utf8(values[0].expose().clone()).expect("UTF-8");
    assert!(!catalog.contains(&text) && !catalog.contains("hunter2"), "{catalog}");
    text
}

#[test]
fn a_named_secret_is_opened_and_stays_secret() {
    for value in
        ["pw = { secret = \"db\" }", "pw.secret = \"db\"", "[host.web1.inputs.web.pw]\nsecret = 'db'"]
    {
        assert_eq!(secret(&given(value)), "hunter2", "{value}");
    }
    let shown = given("pw = { secret = \"db\" }").explain("web.pw");
    assert_eq!(shown, ["host web1 s/hosts.toml:4:6 \"<secret>\" wins"]);
}

#[test]
fn only_the_layer_that_holds_is_opened() {
    let default = ROLE.replace("\"secret\"\n", "\"secret\"\ndefault = { secret = \"db_old\" }\n");
    let site = given("pw = { secret = \"db\" }").with("s/roles/web.toml", default.clone());
    assert_eq!(secret(&site), "hunter2");
    assert_eq!(
        secret(&given("").with("s/roles/web.toml", default.clone()).set("web.pw", "literal")),
        "literal"
    );
    let closed = given("").with("s/roles/web.toml", default);
    assert_eq!(
        (closed.codes(), closed.check()),
        (vec!["closed-secret s/roles/web.toml:3:22".into()], closed.codes())
    );
}

#[test]
fn secrets_lie_in_lists_maps_and_tables_too() {
    let role = "[inputs.pw]\ntype = \"map(list(secret))\"\n[exec.x]\ncommand = \"{{ inputs.pw.a.1 }}\"\n";
    let site = given("pw = { a = [\"x\", { secret = \"db\" }] }").with("s/roles/web.toml", role);
    assert_eq!(secret(&site), "hunter2");
}

#[test]
fn what_cannot_be_had_is_told_at_its_name_before_a_host_is_asked() {
    for (value, expected) in [
        ("pw = { secret = \"db_olt\" }", "missing-secret s/hosts.toml:4:17"),
        ("pw = { secret = \"db_old\" }", "closed-secret s/hosts.toml:4:17"),
        ("pw = { secret = \"binary\" }", "closed-secret s/hosts.toml:4:17"),
        ("pw = { secret = \"../db\" }", "bad-secret s/hosts.toml:4:17"),
        ("pw = { secret = \"{{ host.name }}\" }", "bad-secret s/hosts.toml:4:17"),
        ("pw = { secret = 7 }", "bad-secret s/hosts.toml:4:17"),
        ("pw = { secrte = \"db\" }", "bad-secret s/hosts.toml:4:8"),
        ("pw = { secret = \"db\", x = 1 }", "bad-secret s/hosts.toml:4:23"),
        ("pw = {}", "bad-secret s/hosts.toml:4:6"),
    ] {
        let site = given(value);
        assert_eq!(
            (site.codes(), site.check()),
            (vec![expected.to_owned()], vec![expected.to_owned()]),
            "{value}"
        );
    }
}

#[test]
fn no_line_shows_what_may_be_a_secret_by_a_slip() {
    for value in [
        "pw = { value = \"hunter2\" }",
        "pw = { secret = \"hunter2!\" }",
        "pw = { secret = \"x\", y = \"hunter2\" }",
    ] {
        let found = given(value).run().expect_err(value);
        assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
    }
}

#[test]
fn what_is_opened_later_is_a_warning_and_compiles() {
    let compiled = given("pw = { secret = \"later\" }").run().expect("compiles");
    let codes: Vec<_> = compiled.warnings.iter().map(|one| one.code).collect();
    assert_eq!(codes, ["closed-secret"]);
}

#[test]
fn a_secret_is_given_to_secret_inputs_alone() {
    let site =
        given("pw = { secret = \"db\" }").with("s/roles/web.toml", ROLE.replace("\"secret\"", "\"string\""));
    let found = site.run().expect_err("a table is no string");
    assert_eq!(
        found[0].help.as_deref(),
        Some("a secret is given to an input of the type \"secret\", and taken from there: {{ inputs.NAME }}")
    );
}

#[test]
fn a_module_that_the_facts_may_switch_off_is_not_judged_before_they_are_known() {
    let role = |when: &str| format!("[module.app]\npw = {{ secret = \"gone\" }}\n{when}");
    let module = "[inputs.pw]\ntype = \"secret\"\n[file.\"/a\"]\ncontent = \"{{ inputs.pw }}\"\n";
    let of = |when| {
        given("")
            .with("s/roles/web.toml", role(when))
            .with("s/hosts.toml", "[host.web1]\nroles = [\"web\"]\n")
            .with("s/modules/app/module.toml", module)
    };
    assert_eq!(of("").check(), ["missing-secret s/roles/web.toml:2:17"]);
    assert_eq!(of("when = \"facts.hostname == 'other'\"\n").check(), Vec::<String>::new());
    assert!(of("when = \"facts.hostname == 'other'\"\n").run().is_ok());
}
