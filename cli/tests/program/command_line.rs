//! What needs no host: verbs that only read and print, and what is refused before anything is looked at.

use crate::scratch::{Ran, Scratch, keel, keel_to};
use std::fs::{self, File};

#[track_caller]
fn assert_ends(ran: &Ran, code: i32, says: &str) {
    assert!(ran.code == code && format!("{}{}", ran.out, ran.err).contains(says), "{says}: {ran:?}");
}

#[test]
fn a_wrong_command_line_ends_in_3() {
    let scratch = Scratch::of("[exec.a]\ncommand = [\"true\"]\n");
    for (words, says) in [
        (&["aply"][..], "a similar subcommand exists: 'apply'"),
        (
            &["plan", "-f", "site.toml"],
            "say where, as ssh does: [user@]host[:port]; or say --local for this one",
        ),
        (&["facts"], "on which machines? say which hosts"),
        (&["rollback", "2", "--yes"], "or say --local"),
        (&["facts", "web1", "--local"], "--local is this machine: leave out web1"),
        (&["facts", "--local", "--parallel", "2"], "cannot be used with"),
        (&["facts", "web1", "--state-dir", "s"], "--local"),
        (&["plan", "-f", "site.toml", "a@b@"], "`a@b@` names no host, as [user@]host[:port] does"),
        (&["plan", "root@web1"], "root@web1 is in no inventory: say what it is to be"),
        (&["plan", "-f", "none.toml", "web1"], "there is no file none.toml"),
        (&["plan", "--local"], "there is no keel.toml in ."),
        (&["apply", "--local", "-f", "site.toml"], "say --yes"),
        (&["rollback"], "say --yes"),
        (&["plan", "--format", "svg"], "[possible values: human, json]"),
        (&["graph", "--format", "json"], "[possible values: dot, svg, mermaid]"),
        (&["explain", "fil"], "did you mean `file`?"),
        (&["validate", "-f", "none.toml"], "there is no file none.toml"),
    ] {
        assert_ends(&keel(scratch.root(), words), 3, says);
    }
}

#[test]
fn what_an_agent_cannot_be_told_ends_in_3() {
    let scratch = Scratch::new();
    for (words, says) in [
        (&["install", "web1", "--yes", "--set", "=b"][..], "write KEY=VALUE"),
        (&["install", "--local", "--window", "Mon", "--no-window"], "cannot be used with"),
        (&["status", "web1", "--state-dir", "s"], "--state-dir is of this machine's own agent"),
        (&["uninstall", "web1", "--settings", "a.toml"], "say the whole path on the hosts"),
    ] {
        assert_ends(&keel(scratch.root(), &[&["agent"], words].concat()), 3, says);
    }
}

#[test]
fn help_lists_nothing_that_is_refused() {
    let scratch = Scratch::new();
    for (verb, refused) in [
        ("cloud-init", &["--site", "--file", "--unset", "--no-window"][..]),
        ("drill", &["--local", "--state-dir"]),
    ] {
        let told = keel(scratch.root(), &[verb, "--help"]);
        assert_ends(&told, 0, "Usage: keel");
        refused.iter().for_each(|option| assert!(!told.out.contains(option), "{option}"));
    }
    let brought = ["cloud-init", "--keel-url", "https://a/keel", "--keel-digest", &"0".repeat(64)];
    assert_ends(
        &keel(scratch.root(), &brought),
        3,
        "say where it takes bundles, --source PLACE and --name SITE",
    );
    assert_ends(&keel(scratch.root(), &[&brought[..], &["--site", "."]].concat()), 3, "'--site'");
}

#[test]
fn a_new_site_is_fine_and_nothing_is_replaced() {
    let scratch = Scratch::new();
    let run = |words: &[&str]| keel(scratch.root(), words);
    assert_ends(&run(&["init", "a"]), 0, "keel plan web1 --site a");
    let named = fs::read_to_string(scratch.root().join("a/keel.toml")).expect("it is there");
    assert!(named.ends_with("[project]\nname = \"a\"\n"), "{named}");
    assert_ends(&run(&["validate", "--site", "a"]), 0, "fine: web1: 2 resources, 1 edge\n");
    assert_ends(&run(&["plan", "--local", "web1", "--site", "a", "--state-dir", "s"]), 2, "2 to change");
    assert!(!scratch.root().join("s").exists());
    fs::create_dir(scratch.root().join("b")).expect("made");
    fs::write(scratch.root().join("b/hosts.toml"), "mine").expect("written");
    assert_ends(&run(&["init", "b"]), 3, "b/hosts.toml is there already");
    assert_eq!(fs::read_dir(scratch.root().join("b")).expect("a directory").count(), 1);
}

#[test]
fn to_have_tested_nothing_is_not_to_have_passed() {
    let scratch = Scratch::new();
    let run = |words: &[&str]| keel(scratch.root(), words);
    assert_ends(&run(&["init"]), 0, "");
    assert_ends(&run(&["test"]), 3, "there is nothing to test: declare [unit.NAME] or [box.NAME]");
    fs::create_dir(scratch.root().join("tests")).expect("made");
    let tests = "[box.a]\nrole = \"welcome\"\n[unit.b]\nrole = \"welcome\"\n";
    fs::write(scratch.root().join("tests/a.toml"), tests).expect("written");
    assert_ends(&run(&["test", "--unit"]), 0, "1 test passed");
    assert_ends(&run(&["test", "--unit", "box.a"]), 3, "there is nothing to test");
}

#[test]
fn hosts_are_chosen_by_name_glob_and_group() {
    let scratch = Scratch::new();
    let run = |words: &[&str]| keel(scratch.root(), words);
    assert_ends(&run(&["init"]), 0, "");
    let hosts = "[group.prod]\nroles = [\"welcome\"]\n[host.web1]\ngroups = [\"prod\"]\n[host.web2]\n\
                 groups = [\"prod\"]\n[host.db1]\n";
    fs::write(scratch.root().join("hosts.toml"), hosts).expect("written");
    assert_ends(&run(&["validate"]), 0, "fine: db1: 0 resources, 0 edges\nfine: web1, web2: 2 resources");
    assert_ends(&run(&["validate", "db*"]), 0, "fine: db1: 0");
    assert_ends(&run(&["validate", "@prod", "web1"]), 0, "fine: web1, web2: 2");
    assert_ends(&run(&["validate", "@prd"]), 3, "did you mean `prod`?");
    assert_ends(&run(&["apply", "--local", "--yes", "web*"]), 3, "say which of web1, web2 it is");
    assert_ends(&run(&["plan", "--local"]), 3, "say which host of the inventory is meant");
}

#[test]
fn where_a_value_comes_from_is_told() {
    let scratch = Scratch::new();
    let run = |words: &[&str]| keel(scratch.root(), words);
    assert_ends(&run(&["init"]), 0, "");
    let words = ["explain-value", "welcome.greeting", "--host", "web1"];
    let expected = "welcome.greeting\n  default    roles/welcome.toml:7:11  \"Hello\"\n\
                    * host web1  hosts.toml:9:12          \"Hello from web1\"\n";
    assert_ends(&run(&words), 0, expected);
    assert_ends(
        &run(&[&words[..], &["--set", "welcome.greeting=x"]].concat()),
        0,
        "* command line  --set:1:18",
    );
    assert_ends(&run(&["explain-value", "welcome.x", "--host", "web1"]), 3, "there is no input `welcome.x`");
}

#[test]
fn kinds_explain_themselves() {
    let scratch = Scratch::new();
    let run = |words: &[&str]| keel(scratch.root(), words);
    for kind in agent::kinds::ALL {
        let name = kind.name();
        assert_ends(&run(&["explain"]), 0, name);
        let told = run(&["explain", name]);
        kind.fields().iter().for_each(|field| assert_ends(&told, 0, &format!("  {}  (", field.name)));
        let told = &run(&["explain", name, "--format", "json"]).events()[0];
        assert_eq!((told["kind"].as_str(), told["example"].as_str()), (Some(name), Some(kind.example())));
    }
}

#[test]
fn modules_and_roles_explain_themselves() {
    let scratch = Scratch::new();
    let run = |words: &[&str]| keel(scratch.root(), words);
    assert_ends(&run(&["init"]), 0, "");
    assert_ends(&run(&["explain"]), 0, "role.welcome module.chrony module.nginx");
    assert_ends(&run(&["explain", "role.welcome"]), 0, "  greeting  (string, \"Hello\" unless said)");
    assert_ends(&run(&["explain", "module.nginx"]), 0, "  sites.NAME.port  (int)\n      The TCP port;");
    assert_ends(&run(&["explain", "module.ngin"]), 3, "did you mean `module.nginx`?");
    let told = &run(&["explain", "role.welcome", "--format", "json"]).events()[0];
    assert_eq!(told["inputs"][0]["default"], "\"Hello\"");
}

#[test]
fn every_example_has_its_place_in_the_schema() {
    let scratch = Scratch::new();
    let schema = keel(scratch.root(), &["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&schema.out).expect("JSON");
    for kind in agent::kinds::ALL {
        let known = &schema["$defs"][kind.name()]["properties"];
        kind.fields().iter().for_each(|field| assert!(known[&field.name].is_object(), "{}", field.name));
        dsl::common_fields()
            .iter()
            .for_each(|field| assert!(known[&field.name].is_object(), "{}", field.name));
        let table = &schema["properties"][kind.name()]["additionalProperties"]["$ref"];
        assert_eq!(table, &format!("#/$defs/{}", kind.name()));
    }
    all_references_lead_somewhere(&schema);
}

fn all_references_lead_somewhere(schema: &serde_json::Value) {
    let text = schema.to_string();
    for target in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(schema.pointer(target).is_some(), "{target} is not there");
    }
}

#[test]
fn tests_have_a_schema_with_every_key_of_checks_and_drills() {
    let schema = keel(Scratch::new().root(), &["schema", "tests"]);
    let schema: serde_json::Value = serde_json::from_str(&schema.out).expect("JSON");
    let sorts = [
        ("check", agent::checks::SUBJECTS, dsl::check_fields()),
        ("drill", agent::drills::FAULTS, dsl::drill_fields()),
    ];
    for (sort, infos, fields) in sorts {
        let known = &schema["$defs"][sort]["properties"];
        fields.iter().for_each(|field| assert!(known[&field.name].is_object(), "{}", field.name));
        for info in infos {
            let table = format!("#/$defs/{sort}.{}", info.name());
            assert_eq!(known[info.name()]["anyOf"][0]["$ref"], table);
            assert!(known[info.name()]["anyOf"][1].is_object(), "the short form of {table}");
            let own = &schema["$defs"][format!("{sort}.{}", info.name())]["properties"];
            info.fields().iter().for_each(|field| assert!(own[&field.name].is_object(), "{}", field.name));
        }
    }
    for table in ["unit", "box", "suite"] {
        assert_eq!(schema["properties"][table]["additionalProperties"]["additionalProperties"], false);
    }
    all_references_lead_somewhere(&schema);
}

#[test]
fn a_graph_is_drawn_in_three_ways() {
    let site = "[file.\"HOST/a\"]\ncontent = \"\"\nnotify = [\"exec.b\"]\n[exec.b]\ncommand = [\"true\"]\n\
                refresh_only = true\n";
    let scratch = Scratch::of(site);
    for (form, says) in [
        ("dot", "n0 -> n1 [tooltip=\"site.toml:3:11\", style=dashed];"),
        ("mermaid", "n0 -.-> n1"),
        ("svg", "stroke-dasharray"),
    ] {
        assert_ends(&keel(scratch.root(), &["graph", "-f", "site.toml", "--format", form]), 0, says);
    }
}

#[test]
fn results_that_cannot_be_written_are_told_and_a_reader_that_went_away_is_not() {
    let scratch = Scratch::new();
    let full = keel_to(scratch.root(), &["explain", "file"], File::create("/dev/full").expect("it is there"));
    assert_ends(&full, 1, "error: standard output could not be written: No space left on device");
    assert_eq!(full.err.lines().count(), 1, "{full:?}");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let gone = keel_to(scratch.root(), &["explain", "file"], writer);
    assert!(gone.code == 0 && gone.err.is_empty(), "{gone:?}");
}
